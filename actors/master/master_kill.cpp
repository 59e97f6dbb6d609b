#include "actors/master/decision.hpp"
#include "actors/master/master.hpp"
#include "protocol/mutant.hpp"
#include "protocol/quoting.hpp"
#include "protocol/task_state.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {

void master::handle(step& s, const scheduler::Call::Kill& call) {
  auto* owner = speaking_framework(s, "Kill");
  if (!owner) return;
  const task_id id = call.task_id();
  auto known = owner->tasks.find(id);
  auto policy = call.has_kill_policy() ? std::optional(call.kill_policy()) : std::nullopt;
  if (const auto* away = owner->unreachable.find(id);
      away && !mutated(mutant::kill_of_unreachable_forgotten) &&
      (!call.has_agent_id() || agent_id(call.agent_id()) == agent_id(away->agent_id())))
    kill_when_back(s, *owner, id, policy);
  if (known == owner->tasks.end()) return reconcile_one(s, *owner, call.task_id(), question_of(call));
  auto& entry = known->second;
  const char* reason = nullptr;
  if (call.has_agent_id() && agent_id(call.agent_id()) != agent_id(entry.task.agent_id()))
    reason = "task_is_on_another_agent";
  else if (is_terminal(entry.task.state()))
    reason = "has_ended";
  if (reason) {
    s.log(decision("kill.ignored").with("framework", owner->id).with("task", id).with("reason", reason));
    return;
  }
  kill(s, *owner, entry, std::move(policy));
}

void master::handle(step& s, const internal::KillTaskByOperator& call) {
  const task_id id = call.task_id();
  std::vector<framework*> owners;
  for (auto& [owner_id, owner] : frameworks_.live()) {
    if (call.has_framework_id() && owner_id != framework_id(call.framework_id())) continue;
    if (owner.tasks.count(id) != 0 || owner.unreachable.find(id)) owners.push_back(&owner);
  }
  internal::KillTaskAnswered answer;
  *answer.mutable_task_id() = call.task_id();
  const auto refusal = objection_to_kill(id, owners);
  s.log(decision("kill.asked_by_operator").with("task", id).with("from", s.head.from()).with("refusal", refusal));
  if (refusal.empty())
    kill(s, *owners.front(), owners.front()->tasks.at(id), std::nullopt);
  else
    answer.set_refusal(refusal);
  if (owners.size() == 1 && owners.front()->unreachable.find(id)) kill_when_back(s, *owners.front(), id, std::nullopt);
  s.say(s.head.from(), std::move(answer));
}

std::string master::objection_to_kill(const task_id& id, const std::vector<framework*>& owners) const {
  const auto task = "task " + quoted(id.value());
  if (owners.empty()) return task + " is not known; list the tasks to see those that are";
  if (owners.size() > 1) {
    std::string names;
    for (const auto* owner : owners) names += (names.empty() ? "" : ", ") + owner->id.value();
    return task + " is ambiguous: it is a task of the frameworks " + names + "; name one of them";
  }
  const auto known = owners.front()->tasks.find(id);
  if (known == owners.front()->tasks.end())
    return task + " is on an agent that is unreachable; it will be killed when the agent is back";
  if (is_terminal(known->second.task.state()))
    return task + " has ended already: " + std::string(short_name(known->second.task.state()));
  return {};
}

void master::kill(step& s, framework& owner, tracked_task& entry, std::optional<v1::KillPolicy> policy) {
  entry.kill = pending_kill{std::move(policy), options_.kill_retry_first};
  s.log(decision("task.killed")
            .with("framework", owner.id)
            .with("task", task_id(entry.task.task_id()))
            .with("agent", agent_id(entry.task.agent_id()))
            .with("reason", "asked"));
  send_kill(s, owner.id, entry);
}

void master::send_kill(step& s, const framework_id& owner, tracked_task& entry) {
  const deadline_key key{due::kill, owner.value(), entry.task.task_id().value()};
  const auto* agent = agents_.find(agent_id(entry.task.agent_id()));
  if (!agent->connected) return deadlines_.clear(key);  // it is repeated when the agent registers again
  internal::KillTask kill;
  *kill.mutable_framework_id() = owner.proto();
  *kill.mutable_task_id() = entry.task.task_id();
  if (entry.kill->policy) *kill.mutable_kill_policy() = *entry.kill->policy;
  s.say(agent->at, std::move(kill));
  deadlines_.set(key, s.now.now + entry.kill->wait);
}

void master::on_kill_due(step& s, const deadline_key& key) {
  auto* owner = frameworks_.find(framework_id(key.first));
  if (!owner) return;
  auto known = owner->tasks.find(task_id(key.second));
  if (known == owner->tasks.end() || !known->second.kill) return;
  auto& entry = known->second;
  entry.kill->wait = std::min(entry.kill->wait * 2, options_.kill_retry_max);
  s.log(decision("kill.repeated").with("framework", owner->id).with("task", known->first));
  send_kill(s, owner->id, entry);
}

void master::kill_when_back(step& s, framework& owner, const task_id& id, std::optional<v1::KillPolicy> policy) {
  owner.away_kills[id] = std::move(policy);
  s.log(decision("kill.waits").with("framework", owner.id).with("task", id).with("reason", "agent_unreachable"));
}

/// Of tasks that are no longer known to be away.
void master::forget_away_kills(framework& owner) {
  for (auto kill = owner.away_kills.begin(); kill != owner.away_kills.end();)
    kill = owner.unreachable.find(kill->first) ? std::next(kill) : owner.away_kills.erase(kill);
}

void master::repeat_kills_on(step& s, const registered_agent& agent) {
  if (mutated(mutant::kill_not_repeated)) return;
  for (const auto& [owner_id, id] : agent.tasks) {
    auto& entry = frameworks_.find(owner_id)->tasks.at(id);
    if (!entry.kill) continue;
    entry.kill->wait = options_.kill_retry_first;
    s.log(decision("kill.repeated").with("framework", owner_id).with("task", id).with("agent", agent.id));
    send_kill(s, owner_id, entry);
  }
}

}  // namespace troupe
