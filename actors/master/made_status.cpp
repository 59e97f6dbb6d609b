#include "actors/master/made_status.hpp"

#include "protocol/mutant.hpp"

#include <utility>

namespace troupe {

namespace {
// A task goes through few states; one that flaps between reachable and not must not fill the memory.
constexpr int statuses_max = 16;
}  // namespace

v1::TaskStatus made_status(const v1::TaskID& task, const v1::AgentID* agent, status_words words, wall_time now) {
  v1::TaskStatus status;
  *status.mutable_task_id() = task;
  if (agent) *status.mutable_agent_id() = *agent;
  status.set_state(words.state);
  status.set_source(v1::TaskStatus::SOURCE_MASTER);
  status.set_reason(words.reason);
  if (!words.message.empty()) status.set_message(std::move(words.message));
  status.set_timestamp(seconds_of(now));
  return status;
}

v1::TaskStatus made_status(const v1::Task& task, status_words words, wall_time now) {
  auto status = made_status(task.task_id(), &task.agent_id(), std::move(words), now);
  if (task.has_executor_id()) *status.mutable_executor_id() = task.executor_id();
  return status;
}

bool may_come_from_agent(v1::TaskState state) {
  return state != v1::TASK_UNREACHABLE && state != v1::TASK_UNKNOWN && state != v1::TASK_GONE_BY_OPERATOR;
}

v1::TaskState reported_state(const v1::Task& task) {
  if (mutated(mutant::reconciliation_overtakes_updates)) return task.state();
  return task.has_status_update_state() ? task.status_update_state() : task.state();
}

v1::TaskStatus last_known(const v1::Task& task, v1::TaskStatus::Reason reason, wall_time now) {
  auto status = made_status(task, {reported_state(task), reason}, now);
  if (task.statuses().empty()) return status;
  const auto& last = task.statuses(task.statuses_size() - 1);
  if (last.state() != status.state()) return status;
  if (last.has_healthy()) status.set_healthy(last.healthy());
  if (last.has_check_status()) *status.mutable_check_status() = last.check_status();
  if (last.has_labels()) *status.mutable_labels() = last.labels();
  if (last.has_container_status()) *status.mutable_container_status() = last.container_status();
  if (last.has_unreachable_time()) *status.mutable_unreachable_time() = last.unreachable_time();
  return status;
}

void remember_status(v1::Task& task, const v1::TaskStatus& status) {
  if (!task.statuses().empty() && task.statuses(task.statuses_size() - 1).state() == status.state())
    task.mutable_statuses()->RemoveLast();
  if (task.statuses_size() == statuses_max) task.mutable_statuses()->DeleteSubrange(0, 1);
  auto* kept = task.add_statuses();
  *kept = status;
  kept->clear_data();
}

}  // namespace troupe
