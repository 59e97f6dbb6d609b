#include "actors/executor/command_outcome.hpp"
#include "actors/executor/executor.hpp"
#include "protocol/mutant.hpp"

#include <algorithm>
#include <utility>

/// What the containerizer answers.
namespace troupe {

void executor::handle(step& s, const internal::ContainerLaunched& launched) {
  auto* t = find_by_container(launched.container_id());
  if (!t || t->launched()) return;
  t->set_launched(true);
  if (t->info().has_max_completion_time()) {
    // It may have been launched long ago, for an earlier incarnation.
    const auto now = s.now.wall_now.time_since_epoch().count();
    const bool known = launched.has_launched_at() && !mutated(mutant::completion_clock_restarts);
    const auto ran = known ? std::max<std::int64_t>(now - launched.launched_at().nanoseconds(), 0) : 0;
    const auto left = bounded(t->info().max_completion_time()) - std::chrono::nanoseconds(ran);
    t->set_completion_deadline_ns(nanoseconds_of(s.now.now + std::max(left, std::chrono::nanoseconds(0))));
  }
  if (t->state() == v1::TASK_STARTING) report_state(s, *t, v1::TASK_RUNNING);
}

void executor::handle(step& s, const internal::ContainerLaunchFailed& failed) {
  auto* t = find_by_container(failed.container_id());
  if (!t) return;
  v1::TaskStatus outcome;
  if (t->end_cause() == internal::ExecutorState::KILL_ASKED) {
    outcome.set_state(v1::TASK_KILLED);
  } else {
    outcome.set_state(v1::TASK_FAILED);
    outcome.set_reason(v1::TaskStatus::REASON_CONTAINER_LAUNCH_FAILED);
  }
  outcome.set_message("Failed to launch container: " + failed.message());
  end(s, task(*t), std::move(outcome));
}

void executor::handle(step& s, const internal::ContainerExited& exited) {
  auto* t = find_by_container(exited.container_id());
  if (!t) return;
  auto outcome = command_outcome(exited, t->end_cause());
  if (mutated(mutant::exit_status_missed) && options_.spawn.resumes() && outcome.state() == v1::TASK_FINISHED)
    outcome.set_state(v1::TASK_FAILED);
  if (options_.spawn.resumes() && !t->launched() && outcome.state() == v1::TASK_FAILED) {
    outcome.set_reason(v1::TaskStatus::REASON_AGENT_RESTARTED);
    outcome.set_message("The agent restarted, and nobody knows how the command ended");
  }
  end(s, task(*t), std::move(outcome));
}

}  // namespace troupe
