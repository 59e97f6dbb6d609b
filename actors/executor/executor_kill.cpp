#include "actors/executor/executor.hpp"
#include "protocol/mutant.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

/// Ending tasks: TERM, a grace, then the container is destroyed, again and again until it is reported gone.
namespace troupe {

namespace {

internal::SignalContainer signal_to(const v1::ContainerID& container, int number) {
  internal::SignalContainer message;
  *message.mutable_container_id() = container;
  message.set_signal(number);
  return message;
}

Address containerizer() {
  return address(internal::CONTAINERIZER, "local");
}

}  // namespace

std::chrono::nanoseconds executor::grace_of(const task& t, const v1::KillPolicy* asked) const {
  if (asked && asked->has_grace_period()) return bounded(asked->grace_period());
  if (t.info().kill_policy().has_grace_period()) return bounded(t.info().kill_policy().grace_period());
  return options_.kill_grace;
}

bool executor::kills_visibly() const {
  const auto& capabilities = options_.spawn.framework().capabilities();
  return std::any_of(capabilities.begin(), capabilities.end(),
                     [](const auto& c) { return c.type() == v1::FrameworkInfo::Capability::TASK_KILLING_STATE; });
}

void executor::handle(step& s, const executor_api::Event::Kill& asked) {
  auto* t = find(asked.task_id());
  if (!t) {
    s.log("task.kill_ignored task=" + asked.task_id().value() + " reason=not_running");
    return;
  }
  kill(s, *t, grace_of(*t, asked.has_kill_policy() ? &asked.kill_policy() : nullptr));
}

void executor::handle(step& s, const internal::ShutdownExecutor&) {
  state_.set_shutting_down(true);
  s.log("executor.shutdown container=" + options_.spawn.container_id().value() +
        " tasks=" + std::to_string(state_.tasks().size()));
  std::chrono::nanoseconds patience = std::chrono::milliseconds(
      std::min<std::uint64_t>(options_.spawn.shutdown_grace_ms(), std::uint64_t{365} * 24 * 3600 * 1000));
  auto cap = std::max<std::chrono::nanoseconds>(patience - options_.shutdown_margin, std::chrono::nanoseconds(0));
  for (auto& t : *state_.mutable_tasks()) kill(s, t, std::min(cap, grace_of(t, nullptr)));
}

/// A kill that comes on top of an earlier one can only shorten the grace.
void executor::kill(step& s, task& t, std::chrono::nanoseconds grace) {
  if (t.destroying()) return;
  auto deadline = nanoseconds_of(s.now.now + grace);
  bool again = t.end_cause() == internal::ExecutorState::KILL_ASKED;
  if (again && deadline >= t.stop_deadline_ns() && !mutated(mutant::kill_lengthens_grace)) return;
  t.set_end_cause(internal::ExecutorState::KILL_ASKED);
  t.set_grace_ns(grace.count());
  t.set_stop_deadline_ns(deadline);
  s.log("task.kill task=" + t.info().task_id().value() + " grace_ms=" + std::to_string(grace.count() / 1000000));
  if (!again) {
    if (kills_visibly()) report_state(s, t, v1::TASK_KILLING);
    s.say(containerizer(), signal_to(t.container_id(), SIGTERM));
  }
  if (grace.count() == 0) destroy(s, t);
}

/// Says to a containerizer that may not have heard it what was asked last.
void executor::kill_again(step& s, task& t) {
  if (t.destroying()) return destroy(s, t);
  if (t.end_cause() == internal::ExecutorState::KILL_ASKED)
    s.say(containerizer(), signal_to(t.container_id(), SIGTERM));
}

void executor::destroy(step& s, task& t) {
  t.set_destroying(true);
  t.set_stop_deadline_ns(nanoseconds_of(s.now.now + options_.destroy_retry));
  internal::DestroyContainer message;
  *message.mutable_container_id() = t.container_id();
  s.log("container.destroy container=" + t.container_id().value() + " task=" + t.info().task_id().value());
  s.say(containerizer(), std::move(message));
}

void executor::on_task_timer(step& s, task& t) {
  if (t.has_completion_deadline_ns() && monotonic_at(t.completion_deadline_ns()) <= s.now.now) {
    t.clear_completion_deadline_ns();
    if (t.end_cause() == internal::ExecutorState::NOT_ASKED) {
      t.set_end_cause(internal::ExecutorState::RAN_TOO_LONG);
      destroy(s, t);
    }
  }
  if (t.has_stop_deadline_ns() && monotonic_at(t.stop_deadline_ns()) <= s.now.now) destroy(s, t);
}

}  // namespace troupe
