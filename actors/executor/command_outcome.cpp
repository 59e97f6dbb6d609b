#include "actors/executor/command_outcome.hpp"

#include "actors/runtime/wait_status.hpp"
#include "protocol/mutant.hpp"

namespace troupe {

namespace {

void set_failure(v1::TaskStatus& status, const internal::ContainerExited& exit) {
  status.set_state(v1::TASK_FAILED);
  if (!exit.has_limitation_reason()) return;
  status.set_reason(exit.limitation_reason());
  if (exit.has_limitation()) *status.mutable_limitation() = exit.limitation();
  if (exit.has_limitation_message()) status.set_message(exit.limitation_message());
}

}  // namespace

v1::TaskStatus command_outcome(const internal::ContainerExited& exit, internal::ExecutorState::EndCause cause) {
  v1::TaskStatus status;
  std::optional<std::int32_t> wait_status;
  if (exit.has_status()) wait_status = exit.status();
  if (wait_status) status.set_exit_status(*wait_status);
  status.set_message("Command " + describe_wait_status(wait_status));
  switch (cause) {
    case internal::ExecutorState::KILL_ASKED:
      status.set_state(v1::TASK_KILLED);
      if (mutated(mutant::killed_task_finishes) && wait_status && *wait_status == 0)
        status.set_state(v1::TASK_FINISHED);
      break;
    case internal::ExecutorState::RAN_TOO_LONG:
      status.set_state(v1::TASK_FAILED);
      status.set_reason(v1::TaskStatus::REASON_MAX_COMPLETION_TIME_REACHED);
      status.set_message("Task exceeded its maximum completion time");
      break;
    case internal::ExecutorState::NOT_ASKED:
      if (!exit.has_limitation_reason() && wait_status && *wait_status == 0)
        status.set_state(v1::TASK_FINISHED);
      else
        set_failure(status, exit);
      break;
  }
  return status;
}

}  // namespace troupe
