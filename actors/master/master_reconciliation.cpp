#include "actors/master/decision.hpp"
#include "actors/master/made_status.hpp"
#include "actors/master/master.hpp"
#include "protocol/mutant.hpp"

namespace troupe {

void master::handle(step& s, const scheduler::Call::Reconcile& call) {
  auto* owner = speaking_framework(s, "Reconcile");
  if (!owner) return;
  s.log(decision("framework.reconciles")
            .with("framework", owner->id)
            .with("asked", static_cast<std::uint64_t>(call.tasks_size()))
            .with("known", owner->tasks.size()));
  for (const auto& asked : call.tasks())
    reconcile_one(s, *owner, asked.task_id(), asked.has_agent_id() ? &asked.agent_id() : nullptr);
  if (!call.tasks().empty()) return;
  for (const auto& [id, entry] : owner->tasks)
    tell(s, *owner, last_known(entry.task, v1::TaskStatus::REASON_RECONCILIATION, s.now.wall_now));
}

/// The first that applies: known · unreachable · its agent may still come back (silence) · its agent is here without it
/// · its agent is unreachable · its agent is gone · never heard of.
void master::reconcile_one(step& s, const framework& owner, const v1::TaskID& task, const v1::AgentID* agent) {
  constexpr auto reason = v1::TaskStatus::REASON_RECONCILIATION;
  const task_id id = task;
  if (auto known = owner.tasks.find(id); known != owner.tasks.end())
    return tell(s, owner, last_known(known->second.task, reason, s.now.wall_now));
  if (const auto* away = owner.unreachable.find(id)) return tell(s, owner, last_known(*away, reason, s.now.wall_now));

  const auto on = agent ? agent_id(*agent) : agent_id();
  const bool may_return = agents_.recovered().count(on) != 0 || (on.empty() && !agents_.recovered().empty());
  if (may_return && !mutated(mutant::recovered_agents_answered_for)) return;
  const auto answer = [&](v1::TaskState state, const char* message) {
    return made_status(task, agent, {state, reason, message}, s.now.wall_now);
  };
  if (agents_.find(on)) return tell(s, owner, answer(v1::TASK_GONE, "the agent does not run this task"));
  if (auto away = agents_.unreachable().find(on); away != agents_.unreachable().end()) {
    auto status = answer(v1::TASK_UNREACHABLE, "the agent is unreachable");
    *status.mutable_unreachable_time() = time_info(away->second.since);
    return tell(s, owner, std::move(status));
  }
  if (agents_.gone().count(on) != 0)
    return tell(s, owner, answer(v1::TASK_GONE_BY_OPERATOR, "an operator marked the agent gone"));
  tell(s, owner, answer(v1::TASK_UNKNOWN, "the master knows neither the task nor its agent"));
}

}  // namespace troupe
