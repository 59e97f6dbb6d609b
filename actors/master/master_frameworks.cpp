#include "actors/master/decision.hpp"
#include "actors/master/framework_rules.hpp"
#include "actors/master/made_status.hpp"
#include "actors/master/master.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

void master::refuse_framework(step& s, const std::string& message) {
  s.log(decision("framework.refused").with("from", s.head.from()).with("reason", message));
  scheduler::Event::Error error;
  error.set_message(message);
  s.say(s.head.from(), std::move(error));
}

result<void> master::may_subscribe(const scheduler::Call::Subscribe& call, const framework* known) const {
  const auto& info = call.framework_info();
  if (frameworks_.is_removed(framework_id(info.id()))) return error{errc::conflict, "Framework has been removed"};
  if (auto valid = validate_framework(info); !valid) return valid;
  if (auto valid = validate_subset(call.suppressed_roles(), info, "suppressed_roles"); !valid) return valid;
  if (auto valid = validate_constraints(call.offer_constraints()); !valid) return valid;
  if (known && known->info.principal() != info.principal())
    return invalid("framework_info.principal cannot change; it was and must stay " + known->info.principal());
  return {};
}

void master::handle(step& s, const scheduler::Call::Subscribe& call) {
  if (s.head.from().role() != internal::FRAMEWORK)
    return refuse_framework(s, "only a framework subscribes; connect with the role framework");
  auto info = call.framework_info();
  if (info.id().value().empty()) info.clear_id();
  auto* speaker = frameworks_.at(s.head.from());
  if (!info.has_id() && speaker)
    *info.mutable_id() = speaker->id.proto();  // it asks again: the answer was late or lost
  auto* known = info.has_id() ? frameworks_.find(framework_id(info.id())) : nullptr;
  if (auto allowed = may_subscribe(call, known); !allowed) return refuse_framework(s, allowed.error().message);
  if (speaker && speaker != known) on_framework_away(s, *speaker, "its_address_subscribed_as_another");
  if (known)
    on_framework_returned(s, *known, std::move(info), call.suppressed_roles());
  else
    on_framework_arrived(s, std::move(info), call.suppressed_roles());
}

void master::on_framework_arrived(step& s, v1::FrameworkInfo info, const role_list& suppressed) {
  if (!info.has_id()) *info.mutable_id() = ids_.next_framework().proto();
  framework entry;
  entry.id = framework_id(info.id());
  entry.info = std::move(info);
  entry.at = s.head.from();
  entry.registered_at = s.now.wall_now;
  entry.suppressed = {suppressed.begin(), suppressed.end()};
  entry.unreachable = task_ring(options_.unreachable_tasks_max);
  entry.completed = task_ring(options_.completed_tasks_max);
  const auto& added = frameworks_.add(std::move(entry));
  s.log(decision("framework.subscribed")
            .with("framework", added.id)
            .with("from", s.head.from())
            .with("name", added.info.name())
            .with("former", "new"));
  remember_framework(s, added);
  answer_subscribed(s, added);
  feed_framework(s, added);
}

void master::on_framework_returned(step& s, framework& entry, v1::FrameworkInfo info, const role_list& suppressed) {
  if (entry.at && !same(*entry.at, s.head.from())) {
    scheduler::Event::Error replaced;
    replaced.set_message("Framework failed over");
    s.say(*entry.at, std::move(replaced));
    s.log(decision("framework.failed_over")
              .with("framework", entry.id)
              .with("from", *entry.at)
              .with("to", s.head.from()));
  }
  const bool first = entry.registered_at == wall_time{};
  (first ? entry.registered_at : entry.reregistered_at.emplace()) = s.now.wall_now;
  // Who only repeats itself may take the second answer for a late first one, and believe in its offers.
  if (entry.at && same(*entry.at, s.head.from()))
    for (const auto& id : offers_.of_framework(entry.id)) rescind(s, id, "framework_subscribed_again");
  if (!mutated(mutant::failed_over_offers_kept)) return_offers_of(s, entry, "framework_subscribed_again");
  info.set_user(entry.info.user());
  info.set_checkpoint(entry.info.checkpoint());
  entry.info = std::move(info);
  entry.suppressed = {suppressed.begin(), suppressed.end()};
  frameworks_.connect(entry, s.head.from());
  if (!mutated(mutant::failover_timer_runs_on)) wall_deadlines_.clear({due::framework_return, entry.id.value()});
  s.log(decision("framework.subscribed")
            .with("framework", entry.id)
            .with("from", s.head.from())
            .with("name", entry.info.name())
            .with("former", first ? "recovered" : "known")
            .with("tasks", entry.tasks.size()));
  remember_framework(s, entry);
  answer_subscribed(s, entry);
  tell_framework_changed(s, entry);
  internal::SetFrameworkActive activate;
  *activate.mutable_framework_id() = entry.id.proto();
  activate.set_active(true);
  tell_allocator(s, std::move(activate));
  tell_agents_of(s, entry);
}

void master::answer_subscribed(step& s, const framework& entry) {
  scheduler::Event::Subscribed answer;
  *answer.mutable_framework_id() = entry.id.proto();
  answer.set_heartbeat_interval_seconds(static_cast<double>(options_.heartbeat_interval.count()));
  *answer.mutable_master_info() = master_info();
  s.say(*entry.at, std::move(answer));
}

v1::MasterInfo master::master_info() const {
  auto info = options_.info;
  info.set_id(ids_.reign());
  info.set_ip(info.ip());  // both are required on the wire
  info.set_port(info.port());
  return info;
}

void master::tell_framework_changed(step& s, const framework& entry) {
  internal::UpdateFramework update;
  *update.mutable_info() = entry.info;
  for (const auto& role : entry.suppressed) update.add_suppressed_roles(role);
  tell_allocator(s, std::move(update));
}

std::set<agent_id> master::agents_of(const framework& entry) const {
  std::set<agent_id> ids;
  for (const auto& [id, task] : entry.tasks) ids.insert(agent_id(task.task.agent_id()));
  for (const auto& [id, agent] : agents_.registered()) {
    const auto first = agent.executors.lower_bound({entry.id, executor_id()});
    if (first != agent.executors.end() && first->first.first == entry.id) ids.insert(id);
  }
  return ids;
}

void master::tell_agents_of(step& s, const framework& entry) {
  for (const auto& id : agents_of(entry)) {
    internal::FrameworkUpdated update;
    *update.mutable_framework() = entry.info;
    s.say(agents_.find(id)->at, std::move(update));
  }
}

void master::handle(step& s, const scheduler::Call::UpdateFramework& call) {
  auto* entry = speaking_framework(s, "UpdateFramework");
  if (!entry) return;
  const auto& info = call.framework_info();
  scheduler::Call::Subscribe as_subscription;
  *as_subscription.mutable_framework_info() = info;
  *as_subscription.mutable_suppressed_roles() = call.suppressed_roles();
  *as_subscription.mutable_offer_constraints() = call.offer_constraints();
  auto allowed = may_subscribe(as_subscription, entry);
  if (allowed && framework_id(info.id()) != entry->id)
    allowed = invalid("framework_info.id must be the framework's own, " + entry->id.value());
  if (allowed && info.user() != entry->info.user()) allowed = invalid("framework_info.user cannot change");
  if (allowed && info.checkpoint() != entry->info.checkpoint())
    allowed = invalid("framework_info.checkpoint cannot change");
  if (!allowed) return refuse_framework(s, allowed.error().message);

  entry->info = info;
  entry->suppressed = {call.suppressed_roles().begin(), call.suppressed_roles().end()};
  s.log(decision("framework.updated").with("framework", entry->id));
  remember_framework(s, *entry);
  const auto roles = roles_of(info);
  for (const auto& id : offers_.of_framework(entry->id))
    if (std::find(roles.begin(), roles.end(), offers_.find(id)->role) == roles.end()) rescind(s, id, "role_dropped");
  tell_framework_changed(s, *entry);
  tell_agents_of(s, *entry);
}

result<std::vector<std::string>> master::chosen_roles(const framework& entry, const role_list& roles) const {
  if (auto valid = validate_subset(roles, entry.info, "roles"); !valid) return valid.error();
  if (roles.empty()) return roles_of(entry.info);
  return std::vector<std::string>(roles.begin(), roles.end());
}

void master::handle(step& s, const scheduler::Call::Suppress& call) {
  auto* entry = speaking_framework(s, "Suppress");
  if (!entry) return;
  const auto roles = chosen_roles(*entry, call.roles());
  if (!roles) {
    s.log(decision("suppress.dropped").with("framework", entry->id).with("reason", roles.error().message));
    return;
  }
  internal::SuppressRoles suppress;
  *suppress.mutable_framework_id() = entry->id.proto();
  for (const auto& role : *roles) {
    entry->suppressed.insert(role);
    suppress.add_roles(role);
  }
  s.log(decision("framework.suppressed").with("framework", entry->id).with("roles", roles->size()));
  tell_allocator(s, std::move(suppress));
}

void master::handle(step& s, const scheduler::Call::Revive& call) {
  auto* entry = speaking_framework(s, "Revive");
  if (!entry) return;
  const auto roles = chosen_roles(*entry, call.roles());
  if (!roles) {
    s.log(decision("revive.dropped").with("framework", entry->id).with("reason", roles.error().message));
    return;
  }
  internal::ReviveRoles revive;
  *revive.mutable_framework_id() = entry->id.proto();
  for (const auto& role : *roles) {
    entry->suppressed.erase(role);
    revive.add_roles(role);
  }
  s.log(decision("framework.revived").with("framework", entry->id).with("roles", roles->size()));
  tell_allocator(s, std::move(revive));
}

void master::on_framework_away(step& s, framework& entry, const char* reason) {
  s.log(decision("framework.disconnected").with("framework", entry.id).with("from", *entry.at).with("reason", reason));
  const auto wait = failover_timeout(entry.info);
  if (wait.count() == 0) return remove_framework(s, entry.id, "no_failover_timeout");
  frameworks_.disconnect(entry);
  internal::SetFrameworkActive deactivate;
  *deactivate.mutable_framework_id() = entry.id.proto();
  deactivate.set_active(false);
  tell_allocator(s, std::move(deactivate));
  return_offers_of(s, entry, "framework_disconnected");
  wall_deadlines_.set({due::framework_return, entry.id.value()}, s.now.wall_now + wait);
  if (!mutated(mutant::failover_deadline_restarts)) remember_framework(s, entry);
}

void master::remember_framework(step& s, const framework& entry) {
  internal::FrameworkRecord record;
  *record.mutable_info() = entry.info;
  if (const auto deadline = wall_deadlines_.of({due::framework_return, entry.id.value()}))
    *record.mutable_failover_deadline() = time_info(*deadline);
  s.put(keys::master_framework(entry.id), record);
}

void master::handle(step& s, const internal::TeardownFramework& call) {
  const framework_id id = call.framework_id();
  if (s.head.from().role() == internal::OPERATOR) {
    if (const auto* entry = frameworks_.find(id)) {
      if (entry->connected()) {
        scheduler::Event::Error error;
        error.set_message("Framework has been removed");
        s.say(*entry->at, std::move(error));
      }
      return remove_framework(s, id, "torn_down_by_operator");
    }
    s.log(decision("teardown.ignored").with("framework", id).with("reason", "unknown"));
    return;
  }
  auto* entry = speaking_framework(s, "TeardownFramework");
  if (!entry) return;
  if (!id.empty() && id != entry->id) {
    s.log(decision("teardown.ignored").with("framework", id).with("by", entry->id).with("reason", "not_its_own"));
    return;
  }
  remove_framework(s, entry->id, "torn_down");
}

/// A copy of the id: callers name the entry's own, which ends here.
void master::remove_framework(step& s, framework_id id, const char* reason) {
  auto* entry = frameworks_.find(id);
  if (!entry) return;
  s.log(decision("framework.removed").with("framework", id).with("reason", reason).with("tasks", entry->tasks.size()));
  internal::FrameworkRecord record;
  record.mutable_info()->set_user(entry->info.user());
  record.mutable_info()->set_name(entry->info.name());
  *record.mutable_info()->mutable_id() = id.proto();
  record.set_removed(true);
  *record.mutable_removed_at() = time_info(s.now.wall_now);
  s.put(keys::master_framework(id), record);
  if (mutated(mutant::removal_forgotten)) s.erase(keys::master_framework(id));

  for (const auto& agent : agents_of(*entry)) {
    internal::ShutdownFramework shutdown;
    *shutdown.mutable_framework_id() = id.proto();
    s.say(agents_.find(agent)->at, std::move(shutdown));
  }
  return_offers_of(s, *entry, "framework_removed");
  end_everything_of(s, *entry);
  internal::RemoveFramework remove;
  *remove.mutable_framework_id() = id.proto();
  tell_allocator(s, std::move(remove));

  completed_framework over;
  over.info = entry->info;
  over.registered_at = entry->registered_at;
  over.reregistered_at = entry->reregistered_at;
  over.unregistered_at = s.now.wall_now;
  over.unreachable = std::move(entry->unreachable);
  over.completed = std::move(entry->completed);
  frameworks_.add_completed(std::move(over), options_.completed_frameworks_max);
  wall_deadlines_.clear({due::framework_return, id.value()});
  frameworks_.forget(id);
  frameworks_.add_removed(id, s.now.wall_now);
}

void master::end_everything_of(step& s, framework& entry) {
  std::vector<task_id> tasks;
  for (const auto& [id, task] : entry.tasks) tasks.push_back(id);
  for (const auto& id : tasks) {
    auto& task = entry.tasks.at(id);
    auto& agent = *agents_.find(agent_id(task.task.agent_id()));
    if (!is_terminal(task.task.state())) {
      set_state(s, entry, agent, task, v1::TASK_KILLED);
      remember_status(task.task, made_status(task.task,
                                             {v1::TASK_KILLED, v1::TaskStatus::REASON_FRAMEWORK_REMOVED,
                                              "the framework was removed"},
                                             s.now.wall_now));
    }
    complete_task(s, entry, agent, id);
  }
  for (const auto& id : agents_of(entry)) {
    auto& agent = *agents_.find(id);
    std::vector<executor_key> executors;
    for (const auto& [key, executor] : agent.executors)
      if (key.first == entry.id) executors.push_back(key);
    for (const auto& key : executors) end_executor(s, agent, key, "framework_removed");
  }
}

}  // namespace troupe
