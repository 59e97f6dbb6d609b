#include "actors/agent/agent.hpp"
#include "actors/agent/executor_environment.hpp"
#include "actors/runtime/wait_status.hpp"
#include "protocol/task_state.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <utility>
#include <vector>

/// Executors end, and what is left of them and of their frameworks is cleared away.
namespace troupe {

bool agent::runs_something(const hosted_executor& executor) const {
  return std::any_of(executor.tasks.begin(), executor.tasks.end(),
                     [](const auto& entry) { return !entry.second.queued && !is_terminal(entry.second.state); });
}

/// Asks the executor to end, with its grace; without a link the container goes at once. `executor` may be gone
/// afterwards.
void agent::end_executor(step& s, hosted_executor& executor, std::optional<ending> why) {
  if (!executor.open()) return;
  executor.at = internal::AgentState::Executor::TERMINATING;
  executor.ending = std::move(why);
  s.log("executor.ending framework=" + executor.framework().value() + " executor=" + executor.id().value() +
        (executor.ending ? " reason=" + v1::TaskStatus::Reason_Name(executor.ending->reason()) : ""));
  if (executor.built_in() && !runs_something(executor)) {
    conclude_executor(s, executor, nullptr);
  } else if (executor.connected) {
    executor.deadline = s.now.now + shutdown_grace(executor.record.info(), options_);
    expect(executor.deadline);
    internal::ShutdownExecutor shutdown;
    *shutdown.mutable_framework_id() = executor.record.framework_id();
    *shutdown.mutable_executor_id() = executor.record.info().executor_id();
    s.say(address(internal::EXECUTOR, executor.container().value()), std::move(shutdown));
  } else {
    destroy_executor(s, executor);
  }
}

/// Asked again until the container is reported gone: a container that nobody knows is reported so at once.
void agent::destroy_executor(step& s, hosted_executor& executor) {
  executor.destroying = true;
  executor.deadline = s.now.now + options_.destroy_retry;
  expect(executor.deadline);
  s.log("container.destroy container=" + executor.container().value() + " executor=" + executor.id().value());
  internal::DestroyContainer destroy;
  *destroy.mutable_container_id() = executor.record.container_id();
  s.say(address(internal::CONTAINERIZER, "local"), std::move(destroy));
}

void agent::on_executor_timer(step& s, hosted_executor& executor) {
  if (executor.terminating()) {
    destroy_executor(s, executor);
  } else if (executor.at == internal::AgentState::Executor::REGISTERING) {
    bool again = executor.returning && !executor.built_in();
    auto limit = again ? options_.executor_reregistration_timeout : options_.executor_registration_timeout;
    ending why;
    why.set_state(v1::TASK_FAILED);
    why.set_reason(again ? v1::TaskStatus::REASON_EXECUTOR_REREGISTRATION_TIMEOUT
                         : v1::TaskStatus::REASON_EXECUTOR_REGISTRATION_TIMEOUT);
    why.set_message(std::string("The executor did not subscribe ") + (again ? "again " : "") + "within " +
                    std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(limit).count()) + " ms");
    end_executor(s, executor, std::move(why));
  }
}

/// What is said of tasks that ended with their executor.
v1::TaskStatus agent::last_status(const hosted_executor& executor, const internal::ContainerExited* exit) const {
  if (executor.ending)
    return own_status(executor.ending->state(), executor.ending->reason(), executor.ending->message());
  if (exit && exit->has_limitation_reason()) {
    auto status = own_status(v1::TASK_FAILED, exit->limitation_reason(), exit->limitation_message());
    if (exit->has_limitation()) *status.mutable_limitation() = exit->limitation();
    return status;
  }
  auto message = std::string("Executor terminated");
  if (exit && exit->has_status()) message += ": it " + describe_wait_status(exit->status());
  return own_status(executor.built_in() ? v1::TASK_FAILED : v1::TASK_GONE, v1::TaskStatus::REASON_EXECUTOR_TERMINATED,
                    message);
}

void agent::retire(step& s, const hosted_executor& executor) const {
  internal::RetireExecutor retire;
  *retire.mutable_executor() = address(internal::EXECUTOR, executor.container().value());
  s.say(address(internal::SUPERVISOR, "local"), std::move(retire));
}

/// Nothing of the executor is left, and what became of its tasks is recorded with this step: its container is released.
/// `executor` may be gone afterwards.
void agent::conclude_executor(step& s, hosted_executor& executor, const internal::ContainerExited* exit) {
  framework_id fid = executor.framework();
  executor_id eid = executor.id();
  auto status = last_status(executor, exit);
  executor.at = internal::AgentState::Executor::TERMINATED;
  executor.connected = executor.destroying = executor.returning = false;
  executor.deadline.reset();
  executor.queue.clear();
  s.log("executor.ended framework=" + fid.value() + " executor=" + eid.value() +
        " container=" + executor.container().value());
  internal::ReleaseContainer release;
  *release.mutable_container_id() = executor.record.container_id();
  s.say(address(internal::CONTAINERIZER, "local"), std::move(release));
  if (executor.built_in()) {
    retire(s, executor);
  } else {
    internal::ExecutorExited exited;
    *exited.mutable_agent_id() = id().proto();
    *exited.mutable_framework_id() = fid.proto();
    *exited.mutable_executor_id() = eid.proto();
    if (exit && exit->has_status()) exited.set_status(exit->status());
    s.say(leader(), std::move(exited));
  }
  for (auto& [tid, task] : executor.tasks) {
    task.queued = false;
    if (!is_terminal(task.state)) publish(s, fid, eid, tid, status);
  }
  if (hosted_.find(fid)->removed) forget_tasks(s, executor);
  settle_executor(s, fid, eid);
}

/// Clears an executor away once it has no tasks left. A custom one lives on, idle, until it is told to end or exits.
void agent::settle_executor(step& s, const framework_id& framework, const executor_id& id) {
  auto* executor = hosted_.find(framework, id);
  if (!executor) return;
  if (!executor->tasks.empty()) {
    if (!executor->terminated() || executor->record.ended()) return;
    executor->record.set_ended(true);
    s.put(keys::agent_executor(framework, id), executor->record);
    return;
  }
  if (!executor->terminated()) {
    if (executor->built_in()) conclude_executor(s, *executor, nullptr);
    return;
  }
  auto& host = *hosted_.find(framework);
  keep_completed(host, *executor);
  s.erase(keys::agent_executor(framework, id));
  hosted_.remove_executor(host, id);
  settle_framework(s, framework);
}

/// For a framework that is gone: nobody will acknowledge anything.
void agent::forget_tasks(step& s, hosted_executor& executor) {
  std::vector<task_id> tasks;
  for (const auto& [tid, task] : executor.tasks) tasks.push_back(tid);
  for (const auto& tid : tasks) {
    s.erase(keys::agent_task(executor.framework(), tid));
    executor.completed.push_back(task_message(executor, executor.tasks.at(tid)));
    if (executor.completed.size() > options_.completed_tasks_max) executor.completed.pop_front();
    hosted_.remove_task(executor, tid);
    drop_stream(s, {executor.framework(), tid});
  }
}

void agent::drop_stream(step& s, const stream_key& key) {
  auto it = streams_.find(key);
  if (it == streams_.end()) return;
  for (const auto& update : it->second.updates()) s.erase(keys::agent_update(key.first, key.second, update.number));
  streams_.erase(it);
}

/// Drops the updates of a removed framework that no task stands behind: nobody will acknowledge them.
void agent::tell_nobody(step& s, const framework_id& framework) {
  std::vector<stream_key> orphans;
  for (auto it = streams_.lower_bound({framework, task_id()}); it != streams_.end() && it->first.first == framework;
       ++it)
    if (!hosted_.find(framework, it->first.second)) orphans.push_back(it->first);
  for (const auto& key : orphans) drop_stream(s, key);
}

/// A framework without executors is not remembered, only kept in sight for a while.
void agent::settle_framework(step& s, const framework_id& id) {
  auto* framework = hosted_.find(id);
  if (!framework || !framework->executors.empty()) return;
  s.erase(keys::agent_framework(id));
  if (framework->removed) tell_nobody(s, id);
  s.log("framework.idle framework=" + id.value() + " removed=" + (framework->removed ? "true" : "false"));
  idle_.push_back(id);
  if (idle_.size() <= options_.completed_frameworks_max) return;
  hosted_.remove_framework(idle_.front());
  idle_.erase(idle_.begin());
}

void agent::keep_completed(hosted_framework& framework, const hosted_executor& executor) {
  framework.completed.push_back(std::make_shared<const internal::AgentView::Executor>(executor_view(executor)));
  if (framework.completed.size() > options_.completed_executors_max) framework.completed.pop_front();
}

bool agent::finished() const {
  if (!registration_.dismissed() || registration_.farewell_until()) return false;
  for (const auto& [fid, framework] : hosted_.all())
    for (const auto& [eid, executor] : framework.executors)
      if (!executor.terminated()) return false;
  return true;
}

}  // namespace troupe
