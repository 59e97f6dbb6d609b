#include "actors/agent/agent.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <utility>
#include <vector>

/// Ending tasks, executors and frameworks at the master's word: protocol/proto/troupe/internal/{kill,run}.proto.
namespace troupe {

/// A kill of a task that is not here finds one whose launch was lost: letters of one master come in order, so the
/// launch cannot be behind it. It is answered DROPPED, once, by a stream of its own.
void agent::handle(step& s, const internal::KillTask& kill) {
  if (id().empty()) return;
  framework_id framework = kill.framework_id();
  task_id id = kill.task_id();
  auto line = " framework=" + framework.value() + " task=" + id.value();
  auto place = hosted_.find(framework, id);
  if (!place) {
    s.log("task.kill_of_unknown" + line);
    report_absent(s, {framework, id}, v1::TaskStatus::REASON_TASK_UNKNOWN,
                  "The task was to be killed, but the agent has never received it");
    return;
  }
  if (is_terminal(place.task->state)) {
    s.log("task.kill_ignored" + line + " reason=ended");
    return;
  }
  auto& executor = *place.executor;
  if (place.task->queued) {
    place.task->queued = false;
    auto& queue = executor.queue;
    if (!mutated(mutant::killed_task_launched)) queue.erase(std::remove(queue.begin(), queue.end(), id), queue.end());
    publish(s, framework, executor.id(), id,
            own_status(v1::TASK_KILLED, v1::TaskStatus::REASON_TASK_KILLED_DURING_LAUNCH,
                       "The task was killed before its executor received it"));
    const bool idle = !executor.used && queue.empty() && !mutated(mutant::executor_of_killed_task_lingers);
    if (idle) end_executor(s, executor, std::nullopt);
    return;
  }
  if (mutated(mutant::first_kill_blocks_others) &&
      std::any_of(executor.tasks.begin(), executor.tasks.end(),
                  [](const auto& one) { return one.second.kill_asked && !is_terminal(one.second.state); }))
    return;
  s.log("task.kill" + line + (executor.connected ? "" : " delayed=executor_not_connected"));
  place.task->kill_asked = true;
  place.task->kill_policy.reset();
  if (kill.has_kill_policy()) place.task->kill_policy = kill.kill_policy();
  record_task(s, executor, *place.task);
  say_kill(s, executor, *place.task);
}

void agent::say_kill(step& s, const hosted_executor& executor, const hosted_task& task) {
  if (!executor.connected || !task.kill_asked || is_terminal(task.state)) return;
  executor_api::Event::Kill event;
  *event.mutable_task_id() = task.info.task_id();
  if (task.kill_policy) *event.mutable_kill_policy() = *task.kill_policy;
  s.say(address(internal::EXECUTOR, executor.container().value()), std::move(event));
}

void agent::handle(step& s, const internal::ReconcileTasks& reconcile) {
  if (id().empty()) return;
  for (const auto& entry : reconcile.tasks())
    report_absent(s, {entry.framework_id(), entry.task_id()}, v1::TaskStatus::REASON_RECONCILIATION,
                  "The agent does not have the task");
}

/// Says, once, that the task is not here; not if it is, or to a framework that nobody acknowledges for.
void agent::report_absent(step& s, const stream_key& key, v1::TaskStatus::Reason reason, const std::string& message) {
  if (hosted_.find(key.first, key.second) || streams_.count(key) || registration_.dismissed()) return;
  if (const auto* host = hosted_.find(key.first); host && host->removed) return;
  publish(s, key.first, {}, key.second, own_status(v1::TASK_DROPPED, reason, message));
}

void agent::handle(step& s, const internal::ShutdownFramework& shutdown) {
  ending why;
  why.set_state(v1::TASK_KILLED);
  why.set_reason(v1::TaskStatus::REASON_FRAMEWORK_REMOVED);
  why.set_message("The framework was removed");
  shut_down_framework(s, framework_id(shutdown.framework_id()), why);
}

/// Ends what it has here; nobody will acknowledge anything of it any more.
void agent::shut_down_framework(step& s, const framework_id& id, const ending& why) {
  auto* framework = hosted_.find(id);
  s.log("framework.shutdown framework=" + id.value() +
        " executors=" + std::to_string(framework ? framework->executors.size() : 0));
  if (framework) framework->removed = true;
  tell_nobody(s, id);
  if (!framework || framework->executors.empty()) return;
  internal::FrameworkRecord record;
  *record.mutable_info() = framework->info;
  record.set_removed(true);
  s.put(keys::agent_framework(id), record);

  std::vector<executor_id> executors;
  for (const auto& [eid, executor] : framework->executors) executors.push_back(eid);
  for (const auto& eid : executors) {
    auto* executor = hosted_.find(id, eid);
    if (!executor) continue;
    if (executor->terminated()) {
      forget_tasks(s, *executor);
      settle_executor(s, id, eid);
    } else {
      end_executor(s, *executor, why);
    }
  }
}

void agent::handle(step& s, const internal::ShutdownExecutor& shutdown) {
  auto* executor = hosted_.find(framework_id(shutdown.framework_id()), executor_id(shutdown.executor_id()));
  if (!executor || !executor->open()) {
    s.log("executor.shutdown_ignored framework=" + shutdown.framework_id().value() +
          " executor=" + shutdown.executor_id().value() + " reason=" + (executor ? "ending" : "unknown"));
    return;
  }
  end_executor(s, *executor, std::nullopt);
}

}  // namespace troupe
