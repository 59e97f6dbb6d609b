#include "actors/master/decision.hpp"
#include "actors/master/made_status.hpp"
#include "actors/master/master.hpp"
#include "actors/master/offer_form.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {

namespace {

/// Why a task that an agent reports cannot be taken over, its resources apart; empty if it can.
std::string flaw_of(const v1::Task& task, const framework* owner) {
  if (!owner) return "framework_unknown";
  if (task.task_id().value().empty()) return "no_id";
  if (!may_come_from_agent(task.state())) return "not_a_state_that_an_agent_reports";
  return {};
}

}  // namespace

void master::join_report(step& s, registered_agent& agent, const internal::ReregisterAgent& report, joining how) {
  for (const auto& info : report.frameworks()) learn_framework(s, agent, info);
  std::set<executor_key> executors;
  for (const auto& info : report.executors()) {
    executors.emplace(info.framework_id(), info.executor_id());
    learn_executor(s, agent, info, how);
  }
  std::set<task_key> tasks;
  for (const auto& task : report.tasks()) {
    tasks.emplace(task.framework_id(), task.task_id());
    learn_task(s, agent, task, how);
  }
  on_tasks_unlisted(s, agent, tasks);
  on_executors_unlisted(s, agent, executors);
}

void master::learn_framework(step& s, registered_agent& agent, const v1::FrameworkInfo& info) {
  const framework_id id = info.id();
  if (frameworks_.is_removed(id)) {
    if (mutated(mutant::removed_framework_runs_on)) return;
    internal::ShutdownFramework shutdown;
    *shutdown.mutable_framework_id() = id.proto();
    s.say(agent.at, std::move(shutdown));
    s.log(decision("framework.shut_down").with("framework", id).with("agent", agent.id).with("reason", "removed"));
    return;
  }
  if (const auto* known = frameworks_.find(id)) {
    if (google::protobuf::util::MessageDifferencer::Equals(known->info, info)) return;
    internal::FrameworkUpdated update;
    *update.mutable_framework() = known->info;
    s.say(agent.at, std::move(update));
    return;
  }
  if (id.empty()) return;
  framework entry;
  entry.id = id;
  entry.info = info;
  entry.unreachable = task_ring(options_.unreachable_tasks_max);
  entry.completed = task_ring(options_.completed_tasks_max);
  const auto wait = std::max(failover_timeout(info), options_.agent_reregister_timeout);
  wall_deadlines_.set({due::framework_return, id.value()}, s.now.wall_now + wait);
  const auto& added = frameworks_.add(std::move(entry));
  remember_framework(s, added);
  feed_framework(s, added);
  s.log(decision("framework.recovered").with("framework", id).with("agent", agent.id));
}

/// Resources that are in use already win over offers of them.
bool master::make_room(step& s, const registered_agent& agent, const resources& bare) {
  if (!fits(agent, bare)) rescind_offers_of(s, agent, "used_already");
  return fits(agent, bare);
}

void master::kill_duplicate(step& s, const registered_agent& agent, const v1::Task& task) {
  internal::KillTask kill;
  *kill.mutable_framework_id() = task.framework_id();
  *kill.mutable_task_id() = task.task_id();
  s.say(agent.at, std::move(kill));
  s.log(decision("task.killed")
            .with("framework", framework_id(task.framework_id()))
            .with("task", task_id(task.task_id()))
            .with("agent", agent.id)
            .with("reason", "its_id_runs_on_another_agent"));
}

void master::learn_task(step& s, registered_agent& agent, const v1::Task& reported, joining how) {
  const framework_id owner_id = reported.framework_id();
  const task_id id = reported.task_id();
  if (frameworks_.is_removed(owner_id)) return;  // the agent has been told to shut it down
  auto* owner = frameworks_.find(owner_id);
  const auto ignore = [&](const std::string& reason) {
    s.log(decision("task.ignored")
              .with("framework", owner_id)
              .with("task", id)
              .with("agent", agent.id)
              .with("reason", reason));
  };
  if (const auto flaw = flaw_of(reported, owner); !flaw.empty()) return ignore(flaw);
  if (auto known = owner->tasks.find(id); known != owner->tasks.end()) {
    if (agent_id(known->second.task.agent_id()) != agent.id) kill_duplicate(s, agent, reported);
    return;
  }
  // Its end was acknowledged while the report was on its way. If the agent never hears so it repeats the update, and
  // what is not known is passed on both ways.
  const auto* done = owner->completed.find(id);
  if (done && reported.has_status_update_uuid() && reported.status_update_uuid() == done->status_update_uuid()) return;
  auto task = reported;
  *task.mutable_agent_id() = agent.id.proto();
  const auto roles = roles_of(owner->info);
  tag_missing(task.mutable_resources(), roles.empty() ? "*" : roles.front());
  for (auto& status : *task.mutable_statuses()) status.clear_data();
  auto held = resources::from(task.resources());
  if (!held) return ignore(held.error().message);
  if (!holds_resources(task.state())) *held = resources();
  if (!make_room(s, agent, held->unallocated())) return ignore("its_resources_are_used_by_others");
  if (!mutated(mutant::returned_task_called_gone)) owner->unreachable.take(id);
  owner->completed.take(id);
  auto& entry = add_task(*owner, agent, std::move(task), std::move(*held));
  if (auto kill = owner->away_kills.extract(id); kill && !is_terminal(entry.task.state()))
    entry.kill = pending_kill{kill.mapped(), options_.kill_retry_first};  // sent when the whole report is taken in
  if (how.in_ledger && !entry.charged.empty()) tell_charge(s, owner_id, agent, entry.charged);
  s.log(decision("task.returned")
            .with("framework", owner_id)
            .with("task", id)
            .with("agent", agent.id)
            .with("state", short_name(entry.task.state())));
  if (how.tell && !is_terminal(entry.task.state()))
    tell(s, *owner, last_known(entry.task, v1::TaskStatus::REASON_AGENT_REREGISTERED, s.now.wall_now));
}

void master::learn_executor(step& s, registered_agent& agent, v1::ExecutorInfo info, joining how) {
  const framework_id owner_id = info.framework_id();
  const executor_key key{owner_id, info.executor_id()};
  if (auto known = agent.executors.find(key); known != agent.executors.end()) {
    known->second.unlisted = false;
    return;
  }
  const auto* owner = frameworks_.find(owner_id);
  if (!owner || frameworks_.is_removed(owner_id)) return;
  const auto roles = roles_of(owner->info);
  tag_missing(info.mutable_resources(), roles.empty() ? "*" : roles.front());
  const auto parsed = resources::from(info.resources());
  if (!parsed || !make_room(s, agent, parsed->unallocated())) {
    s.log(decision("executor.ignored")
              .with("framework", owner_id)
              .with("executor", key.second)
              .with("agent", agent.id)
              .with("reason", parsed ? "its_resources_are_used_by_others" : parsed.error().message));
    return;
  }
  charge(agent, *parsed);
  if (how.in_ledger && !parsed->empty()) tell_charge(s, owner_id, agent, *parsed);
  agent.executors.emplace(key, executor_entry{std::move(info), *parsed});
}

void master::on_tasks_unlisted(step& s, registered_agent& agent, const std::set<task_key>& listed) {
  internal::ReconcileTasks missing;
  std::vector<task_key> unlisted;
  std::set_difference(agent.tasks.begin(), agent.tasks.end(), listed.begin(), listed.end(),
                      std::back_inserter(unlisted));
  for (const auto& key : unlisted) {
    auto& owner = *frameworks_.find(key.first);
    if (is_terminal(owner.tasks.at(key.second).task.state())) {
      // The agent has no update of it left: nobody will acknowledge anything any more.
      complete_task(s, owner, agent, key.second);
      continue;
    }
    if (mutated(mutant::unlisted_tasks_not_questioned)) continue;
    auto* entry = missing.add_tasks();
    *entry->mutable_framework_id() = key.first.proto();
    *entry->mutable_task_id() = key.second.proto();
    s.log(decision("task.questioned").with("framework", key.first).with("task", key.second).with("agent", agent.id));
  }
  if (missing.tasks_size() != 0) s.say(agent.at, std::move(missing));
}

void master::on_executors_unlisted(step& s, registered_agent& agent, const std::set<executor_key>& listed) {
  std::vector<executor_key> ended;
  for (auto& [key, executor] : agent.executors) {
    if (listed.count(key) != 0) continue;
    executor.unlisted = true;
    if (!has_live_task(agent, key)) ended.push_back(key);
  }
  for (const auto& key : ended) end_executor(s, agent, key, "not_reported");
}

void master::on_unreachable_tasks_unlisted(step& s, registered_agent& agent) {
  if (mutated(mutant::absent_task_never_ends)) return;
  for (auto& [owner_id, owner] : frameworks_.live()) {
    std::vector<task_id> lost;
    for (const auto& [age, task] : owner.unreachable.by_age())
      if (agent_id(task.agent_id()) == agent.id) lost.push_back(task.task_id());
    for (const auto& id : lost) {
      auto task = *owner.unreachable.take(id);
      owner.away_kills.erase(id);
      const auto status = made_status(
          task, {v1::TASK_GONE, v1::TaskStatus::REASON_AGENT_REREGISTERED, "the agent came back without this task"},
          s.now.wall_now);
      task.set_state(v1::TASK_GONE);
      remember_status(task, status);
      owner.completed.push(std::move(task));
      frameworks_.drop_question(owner, id);
      tell(s, owner, status);
      s.log(decision("task.gone").with("framework", owner_id).with("task", id).with("agent", agent.id));
    }
  }
}

}  // namespace troupe
