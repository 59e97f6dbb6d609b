#include "actors/agent/agent.hpp"
#include "actors/agent/executor_environment.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

/// Executors come up, subscribe, and are handed their tasks: the calls and events of
/// protocol/proto/troupe/v1/executor.proto, and protocol/proto/troupe/internal/container.proto.
namespace troupe {

namespace {

/// Its command has been started, for certain.
bool has_run(v1::TaskState state) {
  return state != v1::TASK_STAGING && state != v1::TASK_STARTING;
}

}  // namespace

/// A built-in executor is an actor beside the agent; a custom one is a process in a container of its own. One that is
/// returning is started once more: whoever runs it says what has become of it, and runs nothing twice.
void agent::start_executor(step& s, const hosted_framework& framework, hosted_executor& executor) {
  await_subscription(s, executor);
  s.log("executor.start framework=" + executor.framework().value() + " executor=" + executor.id().value() +
        " container=" + executor.container().value() + " built_in=" + (executor.built_in() ? "true" : "false"));
  if (executor.built_in()) {
    internal::SpawnExecutor spawn;
    *spawn.mutable_executor() = address(internal::EXECUTOR, executor.container().value());
    *spawn.mutable_framework() = framework.info;
    *spawn.mutable_info() = executor.record.info();
    *spawn.mutable_container_id() = executor.record.container_id();
    spawn.set_sandbox(executor.record.sandbox());
    spawn.set_resumes(std::any_of(executor.tasks.begin(), executor.tasks.end(),
                                  [](const auto& entry) { return has_run(entry.second.state); }));
    auto grace = shutdown_grace(executor.record.info(), options_);
    spawn.set_shutdown_grace_ms(
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(grace).count()));
    s.say(address(internal::SUPERVISOR, "local"), std::move(spawn));
    return;
  }
  internal::LaunchContainer plan;
  *plan.mutable_container_id() = executor.record.container_id();
  *plan.mutable_command() = executor.record.info().command();
  *plan.mutable_resources() = executor.record.info().resources();
  plan.set_only_if_known(executor.was_started());
  for (const auto& [tid, task] : executor.tasks)
    if (task.queued) plan.mutable_resources()->MergeFrom(task.info.resources());
  if (executor.record.info().container().has_rlimit_info())
    *plan.mutable_rlimits() = executor.record.info().container().rlimit_info();
  plan.set_sandbox(executor.record.sandbox());
  *plan.mutable_environment() = executor_environment(executor, framework.info, id(), options_);
  plan.set_user(framework.info.user());
  s.say(address(internal::CONTAINERIZER, "local"), std::move(plan));
}

void agent::await_subscription(step& s, hosted_executor& executor) {
  bool runs = executor.returning && !executor.built_in();
  executor.deadline =
      s.now.now + (runs ? options_.executor_reregistration_timeout : options_.executor_registration_timeout);
  expect(executor.deadline);
}

/// Any number of times: after each, the executor has been told of every task that it does not know.
void agent::handle(step& s, const executor_api::Call::Subscribe& subscribe) {
  container_id container(s.head.from().id());
  auto* executor = hosted_.find(container);
  if (executor && !executor->terminated())
    for (const auto& update : subscribe.unacknowledged_updates())
      if ((executor = hosted_.find(container))) take_update(s, *executor, update.status());
  executor = hosted_.find(container);
  if (!executor || !executor->open()) {
    s.log("executor.turned_away container=" + container.value() + " reason=" + (executor ? "ending" : "unknown"));
    internal::ShutdownExecutor shutdown;
    if (executor) {
      *shutdown.mutable_framework_id() = executor->record.framework_id();
      *shutdown.mutable_executor_id() = executor->record.info().executor_id();
    }
    s.say(s.head.from(), std::move(shutdown));
    return;
  }
  bool link_stood = executor->connected;
  executor->connected = true;
  executor->at = internal::AgentState::Executor::RUNNING;
  executor->deadline.reset();
  s.log("executor.subscribed framework=" + executor->framework().value() + " executor=" + executor->id().value() +
        " container=" + container.value() + " queued=" + std::to_string(executor->queue.size()));
  executor_api::Event::Subscribed subscribed;
  *subscribed.mutable_executor_info() = executor->record.info();
  *subscribed.mutable_framework_info() = hosted_.find(executor->framework())->info;
  *subscribed.mutable_agent_info() = info_with_id();
  *subscribed.mutable_container_id() = executor->record.container_id();
  s.say(s.head.from(), std::move(subscribed));
  find_lost_launches(s, *executor, subscribe, link_stood || executor->returning);
  executor->returning = false;
  launch_queue(s, *executor);
  for (const auto& [tid, task] : executor->tasks)
    if (!task.queued) say_kill(s, *executor, task);
  const bool idle = !executor->used && executor->queue.empty() && !mutated(mutant::executor_of_killed_task_lingers);
  if (idle) end_executor(s, *executor, std::nullopt);
}

/// Tasks that were handed over and that the executor does not list. One that is built in has forgotten them, if it ever
/// knew, and is told again of all that have not ended. A custom one has lost those that it has never reported: over a
/// new link for good; otherwise the launch may still be on its way, or the agent's restart was quicker than the letter,
/// and it is said again. To a known task that changes nothing.
void agent::find_lost_launches(step& s, hosted_executor& executor, const executor_api::Call::Subscribe& subscribe,
                               bool say_again) {
  std::set<task_id> listed;
  for (const auto& info : subscribe.unacknowledged_tasks()) listed.insert(info.task_id());
  std::vector<task_id> lost;
  for (const auto& [tid, task] : executor.tasks)
    if (!task.queued && listed.count(tid) == 0 &&
        (executor.built_in() ? !is_terminal(task.state) : task.state == v1::TASK_STAGING))
      lost.push_back(tid);
  for (const auto& tid : lost) {
    s.log("task.launch_lost framework=" + executor.framework().value() + " task=" + tid.value());
    if (mutated(mutant::lost_launch_not_repeated) && !executor.built_in() && say_again) continue;
    if (executor.built_in() || say_again)
      say_launch(s, executor, executor.tasks.at(tid));
    else
      publish(s, executor.framework(), executor.id(), tid,
              own_status(v1::TASK_DROPPED, v1::TaskStatus::REASON_AGENT_RESTARTED,
                         "The executor subscribed again and does not know the task"));
  }
}

void agent::say_launch(step& s, const hosted_executor& executor, const hosted_task& task) {
  executor_api::Event::Launch event;
  *event.mutable_task() = task.info;
  s.say(address(internal::EXECUTOR, executor.container().value()), std::move(event));
}

void agent::launch_queue(step& s, hosted_executor& executor) {
  for (const auto& tid : executor.queue) {
    auto& task = executor.tasks.at(tid);
    task.queued = false;
    executor.used = true;
    s.log("task.launch framework=" + executor.framework().value() + " task=" + tid.value() +
          " container=" + executor.container().value());
    say_launch(s, executor, task);
  }
  executor.queue.clear();
}

void agent::handle(step& s, const executor_api::Call::Message& message) {
  const auto* executor = hosted_.find(container_id(s.head.from().id()));
  if (!executor) return;
  internal::SendToFramework out;
  *out.mutable_agent_id() = id().proto();
  *out.mutable_framework_id() = executor->record.framework_id();
  *out.mutable_executor_id() = executor->record.info().executor_id();
  out.set_data(message.data());
  s.say(leader(), std::move(out));
}

void agent::handle(step& s, const internal::ContainerLaunched& launched) {
  auto* executor = hosted_.find(container_id(launched.container_id()));
  if (!executor || executor->built_in() || executor->record.has_pid()) return;
  executor->record.set_pid(launched.pid());
  executor->record.set_start_time(launched.start_time());
  s.put(keys::agent_executor(executor->framework(), executor->id()), executor->record);
  if (executor->at == internal::AgentState::Executor::REGISTERING)  // from now on the process can be blamed
    await_subscription(s, *executor);
}

void agent::handle(step& s, const internal::ContainerLaunchFailed& failed) {
  auto* executor = hosted_.find(container_id(failed.container_id()));
  if (!executor || executor->built_in() || executor->terminated()) return;
  if (!executor->ending) {
    executor->ending.emplace();
    executor->ending->set_state(v1::TASK_FAILED);
    executor->ending->set_reason(v1::TaskStatus::REASON_CONTAINER_LAUNCH_FAILED);
    executor->ending->set_message("Failed to launch container: " + failed.message());
  }
  conclude_executor(s, *executor, nullptr);
}

/// Of a built-in executor only in answer to a destruction: otherwise its container is its own affair.
void agent::handle(step& s, const internal::ContainerExited& exited) {
  auto* executor = hosted_.find(container_id(exited.container_id()));
  if (!executor || executor->terminated() || (executor->built_in() && !executor->destroying)) {
    s.log("container.exit_ignored container=" + exited.container_id().value());
    return;
  }
  if (executor->returning && !exited.has_status() && !executor->ending)
    executor->ending = restarted(*executor, "The agent restarted, and nobody knows how the executor ended");
  conclude_executor(s, *executor, &exited);
}

}  // namespace troupe
