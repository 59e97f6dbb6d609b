#include "actors/master/decision.hpp"
#include "actors/master/made_status.hpp"
#include "actors/master/master.hpp"
#include "protocol/mutant.hpp"

namespace troupe {

namespace {
/// A framework may ask after a hundred thousand tasks: others do not wait until all is said.
constexpr std::size_t answers_at_once = 32;
}  // namespace

void master::handle(step& s, const scheduler::Call::Reconcile& call) {
  auto* owner = speaking_framework(s, "Reconcile");
  if (!owner) return;
  s.log(decision("framework.reconciles")
            .with("framework", owner->id)
            .with("asked", static_cast<std::uint64_t>(call.tasks_size()))
            .with("known", owner->tasks.size()));
  for (const auto& asked : call.tasks()) frameworks_.ask(*owner, asked.task_id(), question_of(asked));
  if (call.tasks().empty())
    for (const auto& [id, entry] : owner->tasks) frameworks_.ask(*owner, id, {std::nullopt, true});
  auto left = answers_at_once;
  answer_some(s, *owner, left);
}

/// Some, of each framework in turn. The rest waits until what was said to the master meanwhile is done.
void master::answer_questions(step& s) {
  const auto& asking = frameworks_.asking();
  for (auto left = answers_at_once; left > 0 && !asking.empty();) {
    auto next = asking.upper_bound(answered_last_);
    if (next == asking.end()) next = asking.begin();
    answered_last_ = *next;
    answer_some(s, *frameworks_.find(answered_last_), left);
  }
}

void master::answer_some(step& s, framework& owner, std::size_t& left) {
  for (; left > 0 && !owner.questions.empty(); --left) {
    const auto [id, question] = frameworks_.take_question(owner);
    reconcile_one(s, owner, id, question);
  }
}

/// The first that applies: known · unreachable · its agent may still come back (silence) · its agent is here without it
/// · its agent is unreachable · its agent is gone · never heard of.
void master::reconcile_one(step& s, const framework& owner, const task_id& id, const task_question& question) {
  constexpr auto reason = v1::TaskStatus::REASON_RECONCILIATION;
  if (auto known = owner.tasks.find(id); known != owner.tasks.end())
    return tell(s, owner, last_known(known->second.task, reason, s.now.wall_now));
  if (question.implied) return;
  if (const auto* away = owner.unreachable.find(id)) return tell(s, owner, last_known(*away, reason, s.now.wall_now));

  const auto on = question.agent.value_or(agent_id());
  const bool may_return = agents_.recovered().count(on) != 0 || (on.empty() && !agents_.recovered().empty());
  if (may_return && !mutated(mutant::recovered_agents_answered_for)) return;
  const auto answer = [&](v1::TaskState state, const char* message) {
    const auto agent = question.agent ? std::optional(question.agent->proto()) : std::nullopt;
    return made_status(id.proto(), agent ? &*agent : nullptr, {state, reason, message}, s.now.wall_now);
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
