#include "actors/master/decision.hpp"
#include "actors/master/made_status.hpp"
#include "actors/master/master.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"
#include "protocol/validation.hpp"
#include "storage/keys.hpp"

#include <google/protobuf/util/message_differencer.h>

namespace troupe {

namespace {

internal::AgentRefused refusal(std::string reason, std::string remedy, bool shutdown = false) {
  internal::AgentRefused refused;
  refused.set_reason(std::move(reason));
  refused.set_remedy(std::move(remedy));
  refused.set_shutdown(shutdown);
  return refused;
}

internal::AgentRefused wrong_cluster(const std::string& theirs, const std::string& ours) {
  return refusal(
      "the agent belongs to cluster " + (theirs.empty() ? "(none named)" : theirs) +
          ", and this master leads cluster " + ours,
      "point the agent at a master of its own cluster, or start it with an empty work folder to join this one; "
      "if this master was meant to continue the agent's cluster, start it with that cluster's registry");
}

bool equal(const google::protobuf::Message& a, const google::protobuf::Message& b) {
  return google::protobuf::util::MessageDifferencer::Equals(a, b);
}

v1::AgentInfo with_id(v1::AgentInfo info, const agent_id& id) {
  *info.mutable_id() = id.proto();
  return info;
}

/// Does all that the agent reports fit into it? Stops counting as soon as it does not.
bool report_fits(const internal::ReregisterAgent& report, const resources& total) {
  resources use;
  const auto add = [&](const resources::proto_list& list) {
    if (const auto what = resources::from(list)) use += what->unallocated();
    return total.contains(use);
  };
  for (const auto& task : report.tasks())
    if (holds_resources(task.state()) && !add(task.resources())) return false;
  for (const auto& executor : report.executors())
    if (!add(executor.resources())) return false;
  return true;
}

}  // namespace

void master::refuse_agent(step& s, internal::AgentRefused refused) {
  s.log(decision("agent.refused")
            .with("from", s.head.from())
            .with("reason", refused.reason())
            .with("shutdown", refused.shutdown() ? "true" : "false"));
  s.say(s.head.from(), std::move(refused));
}

std::optional<internal::AgentRefused> master::objection_to(const internal::ReregisterAgent& report,
                                                           const Address& from) const {
  if (report.info().hostname().empty())
    return refusal("info.hostname must not be empty", "start the agent with a hostname");
  const auto total = resources::from(report.info().resources());
  if (!total) return refusal("info.resources: " + total.error().message, "correct the agent's resources");
  if (!report_fits(report, *total))
    return refusal("the agent's tasks and executors use more than its resources, " + total->text(),
                   "start the agent with at least the resources that its tasks use");
  const agent_id id = report.info().id();
  if (agents_.gone().count(id) != 0)
    return refusal("agent " + id.value() + " was marked gone by an operator, and its id is never valid again",
                   "start the agent with an empty work folder", true);
  const auto* registered = agents_.find(id);
  if (registered && !total->contains(registered->used))
    return refusal(
        "the agent's tasks and executors use " + registered->used.text() + ", and it has only " + total->text(),
        "start the agent with at least the resources that its tasks use");
  if (registered && registered->connected && !same(registered->at, from) &&
      registered->info.hostname() != report.info().hostname())
    return refusal("agent " + id.value() + " is registered and alive on host " + registered->info.hostname(),
                   "two agents must not share a copy of one work folder; start this one with an empty one");
  return std::nullopt;
}

void master::handle(step& s, const internal::RegisterAgent& call) {
  if (s.head.from().role() != internal::AGENT)
    return refuse_agent(s, refusal("only an agent registers as one", "connect with the role agent"));
  if (!call.cluster_id().empty() && call.cluster_id() != ids_.cluster())
    return refuse_agent(s, wrong_cluster(call.cluster_id(), ids_.cluster()));

  // The address is the idempotency key: whoever asks again from there is the same agent and has nothing to report. If
  // that was registered and had something, it has begun afresh, and is another one.
  auto* former = agents_.at(s.head.from());
  const bool afresh = former && (!former->tasks.empty() || !former->executors.empty()) &&
                      !(former->connected && equal(former->info, with_id(call.info(), former->id)));
  const bool new_here = afresh || mutated(mutant::agent_admitted_twice);
  const auto known = new_here ? std::nullopt : agents_.last_at(s.head.from());
  internal::ReregisterAgent report;
  *report.mutable_info() = call.info();
  report.mutable_info()->clear_id();
  if (known) *report.mutable_info()->mutable_id() = known->proto();
  report.set_version(call.version());
  if (auto objection = objection_to(report, s.head.from())) return refuse_agent(s, *objection);
  if (auto* agent = agents_.at(s.head.from()); agent && agent->connected && equal(agent->info, report.info()))
    return answer_registered(s, *agent);
  if (afresh) remove_agent(s, *former, "its agent has begun afresh");
  if (!known) *report.mutable_info()->mutable_id() = ids_.next_agent().proto();
  on_agent_returned(s, report);
}

void master::handle(step& s, const internal::ReregisterAgent& call) {
  if (s.head.from().role() != internal::AGENT)
    return refuse_agent(s, refusal("only an agent registers as one", "connect with the role agent"));
  if (call.cluster_id() != ids_.cluster()) return refuse_agent(s, wrong_cluster(call.cluster_id(), ids_.cluster()));
  if (auto valid = validate_id("info.id", call.info().id().value()); !valid)
    return refuse_agent(s, refusal(valid.error().message, "register without an id to be given one"));
  if (auto objection = objection_to(call, s.head.from())) return refuse_agent(s, *objection);
  on_agent_returned(s, call);
}

void master::on_agent_returned(step& s, const internal::ReregisterAgent& report) {
  if (auto* agent = agents_.find(agent_id(report.info().id())))
    on_registered_agent_returned(s, *agent, report);
  else
    on_absent_agent_returned(s, report);
}

void master::on_registered_agent_returned(step& s, registered_agent& agent, const internal::ReregisterAgent& report) {
  const bool moved = !same(agent.at, s.head.from());
  const bool changed = !equal(agent.info, report.info());
  if (moved || changed) {
    set_agent_active(s, agent.id, false);
    rescind_offers_of(s, agent, moved ? "agent_moved" : "agent_changed");
  }
  if (moved) {
    if (auto* displaced = agents_.at(s.head.from()))
      on_agent_link_lost(s, *displaced, "another agent took its address");
    agents_.move(agent, s.head.from());
  }
  if (changed) {
    agent.info = report.info();
    agent.total = resources::from(agent.info.resources()).value();
  }
  if (moved || changed) remember_agent(s, {agent.info, agent.at, s.now.wall_now}, internal::AgentRecord::ADMITTED);
  const bool was_connected = agent.connected;
  agent.connected = true;
  agent.version = report.version();
  agent.ping_outstanding = false;
  agent.pings_missed = 0;
  if (moved || changed || !was_connected) agent.reregistered_at = s.now.wall_now;
  deadlines_.clear({due::agent_return, agent.id.value()});
  s.log(decision("agent.reregistered")
            .with("agent", agent.id)
            .with("from", agent.at)
            .with("tasks", static_cast<std::uint64_t>(report.tasks_size()))
            .with("changed", changed ? "true" : "false"));

  answer_registered(s, agent);
  join_report(s, agent, report, {true, true});
  if (changed) feed_agent(s, agent);
  if (moved || changed || !was_connected) set_agent_active(s, agent.id, true);
  repeat_kills_on(s, agent);
}

void master::on_absent_agent_returned(step& s, const internal::ReregisterAgent& report) {
  const agent_id id = report.info().id();
  const auto recovered = agents_.recovered().find(id);
  const bool was_recovered = recovered != agents_.recovered().end();
  const bool unchanged =
      was_recovered && equal(recovered->second.info, report.info()) && same(recovered->second.at, s.head.from());
  const char* former = was_recovered ? "recovered" : agents_.unreachable().count(id) != 0 ? "unreachable" : "unknown";
  if (auto* displaced = agents_.at(s.head.from())) on_agent_link_lost(s, *displaced, "another agent took its address");

  registered_agent entry;
  entry.id = id;
  entry.info = report.info();
  entry.version = report.version();
  entry.at = s.head.from();
  entry.registered_at = s.now.wall_now;
  entry.total = resources::from(report.info().resources()).value();
  auto& agent = agents_.admit(std::move(entry));
  if (!unchanged) remember_agent(s, {agent.info, agent.at, s.now.wall_now}, internal::AgentRecord::ADMITTED);
  deadlines_.set({due::ping, id.value()}, s.now.now + options_.ping_interval);
  const bool all_back = agents_.recovered().empty() || mutated(mutant::first_return_ends_the_wait);
  if (all_back) deadlines_.clear({due::recovered_agents});
  s.log(decision("agent.registered")
            .with("agent", id)
            .with("from", agent.at)
            .with("hostname", agent.info.hostname())
            .with("former", former)
            .with("tasks", static_cast<std::uint64_t>(report.tasks_size()))
            .with("resources", agent.total.text()));

  answer_registered(s, agent);
  // A framework was told that the tasks of an unreachable agent are away; of a recovered one it asks itself.
  join_report(s, agent, report, {!was_recovered && !mutated(mutant::return_not_told), false});
  on_unreachable_tasks_unlisted(s, agent);
  feed_agent(s, agent);
  repeat_kills_on(s, agent);
}

void master::answer_registered(step& s, registered_agent& agent) {
  internal::AgentRegistered answer;
  *answer.mutable_agent_id() = agent.id.proto();
  answer.set_cluster_id(ids_.cluster());
  answer.set_epoch(ids_.epoch());
  const auto total = options_.ping_interval * options_.pings_missed_max;
  answer.set_total_ping_timeout_ms(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(total).count()));
  s.say(agent.at, std::move(answer));
}

void master::remember_agent(step& s, const absent_agent& agent, internal::AgentRecord::State state) {
  internal::AgentRecord record;
  *record.mutable_info() = agent.info;
  record.set_state(state);
  *record.mutable_since() = time_info(agent.since);
  *record.mutable_address() = agent.at;
  s.put(keys::master_agent(agent_id(agent.info.id())), record);
}

void master::handle(step& s, const internal::UnregisterAgent& call) {
  auto* agent = speaking_agent(s, call.agent_id(), "UnregisterAgent");
  if (!agent) return;
  remove_agent(s, *agent, "the agent left the cluster");
}

/// It has gone for good, with all that ran on it; `agent` is no more afterwards.
void master::remove_agent(step& s, registered_agent& agent, const std::string& why) {
  const auto id = agent.id;
  s.log(decision("agent.unregistered").with("agent", id).with("tasks", agent.tasks.size()).with("reason", why));
  s.erase(keys::master_agent(id));
  set_agent_active(s, id, false);
  rescind_offers_of(s, agent, "agent_unregistered");
  const std::set<task_key> tasks = agent.tasks;
  for (const auto& [owner_id, task] : tasks) {
    auto& owner = *frameworks_.find(owner_id);
    auto& entry = owner.tasks.at(task);
    const bool ended = is_terminal(entry.task.state());
    set_state(s, owner, agent, entry, v1::TASK_GONE);
    auto status = made_status(entry.task, {v1::TASK_GONE, v1::TaskStatus::REASON_AGENT_REMOVED, why}, s.now.wall_now);
    if (ended)  // nobody is left to say it again until it is acknowledged
      status = made_status(entry.task, {entry.task.state(), v1::TaskStatus::REASON_RECONCILIATION}, s.now.wall_now);
    else
      remember_status(entry.task, status);
    tell(s, owner, status);
    complete_task(s, owner, agent, task);
  }
  clear_agent(s, agent);
  agents_.erase(id);
  tell_agent_lost(s, id);
}

}  // namespace troupe
