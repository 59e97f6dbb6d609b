#include "actors/agent/agent.hpp"
#include "actors/agent/executor_environment.hpp"
#include "actors/runtime/uuid.hpp"
#include "storage/keys.hpp"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <utility>

/// A task arrives: protocol/proto/troupe/internal/run.proto.
namespace troupe {

namespace {

/// May the id be one component of a sandbox's path? The master has checked the whole rule of ids; this is what the
/// agent's own files depend on.
bool is_path_component(const std::string& id) {
  return !id.empty() && id.size() <= 255 && id != "." && id != ".." && id.find('/') == std::string::npos &&
         std::none_of(id.begin(), id.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

executor_id executor_id_of(const v1::TaskInfo& task) {
  return executor_id(task.has_executor() ? task.executor().executor_id().value() : task.task_id().value());
}

}  // namespace

void agent::handle(step& s, const internal::RunTask& run) {
  const auto& info = run.task();
  framework_id framework_of = run.framework().id();
  task_id task_of = info.task_id();
  auto line = " framework=" + framework_of.value() + " task=" + task_of.value();
  if (id().empty() || registration_.dismissed() || id() != agent_id(info.agent_id())) {
    s.log("task.misdirected" + line + " agent=" + info.agent_id().value());
    return;
  }
  if (hosted_.find(framework_of, task_of) || streams_.count({framework_of, task_of})) {
    s.log("task.repeated" + line);
    return;
  }
  if (refuse_task(s, run.framework(), info)) return;
  host_framework(s, run.framework());
  auto& executor = host_executor(s, *hosted_.find(framework_of), info);
  auto& task = hosted_.add(executor, info);
  executor.queue.push_back(task_of);
  record_task(s, executor, task);
  s.log("task.accepted" + line + " executor=" + executor.id().value() + " container=" + executor.container().value());
  if (executor.connected)
    launch_queue(s, executor);
  else if (executor.at == internal::AgentState::Executor::REGISTERING && !executor.deadline)
    start_executor(s, *hosted_.find(framework_of), executor);
}

/// True: the task is not taken, and where anybody waits for an answer it has been given.
bool agent::refuse_task(step& s, const v1::FrameworkInfo& framework, const v1::TaskInfo& info) {
  framework_id fid = framework.id();
  executor_id eid = executor_id_of(info);
  auto refuse = [&](v1::TaskState state, v1::TaskStatus::Reason reason, const std::string& message) {
    publish(s, fid, eid, info.task_id(), own_status(state, reason, message));
    return true;
  };
  if (!is_path_component(fid.value()) || !is_path_component(info.task_id().value())) {
    s.log("task.refused framework=" + fid.value() + " task=" + info.task_id().value() + " reason=id_is_no_file_name");
    return true;
  }
  if (const auto* known = hosted_.find(fid); known && known->removed) {
    s.log("task.refused framework=" + fid.value() + " task=" + info.task_id().value() + " reason=framework_removed");
    return true;
  }
  if (!is_path_component(eid.value()))
    return refuse(
        v1::TASK_ERROR, v1::TaskStatus::REASON_TASK_INVALID,
        "executor.executor_id '" + eid.value() + "' cannot name a folder; use 1 to 255 characters without '/'");
  if (info.has_executor() == info.has_command())
    return refuse(v1::TASK_ERROR, v1::TaskStatus::REASON_TASK_INVALID,
                  "task.command and task.executor: exactly one of them must be set");
  if (info.has_executor() && !info.executor().has_command())
    return refuse(v1::TASK_ERROR, v1::TaskStatus::REASON_TASK_INVALID,
                  "executor.command: must be set; this agent has no default executor");
  const auto* executor = hosted_.find(fid, eid);
  if (executor && executor->built_in() == info.has_executor())
    return refuse(v1::TASK_ERROR, v1::TaskStatus::REASON_TASK_INVALID,
                  "executor id '" + eid.value() + "' is in use by a task of the same name; choose another");
  if (executor && executor->terminating())
    return refuse(v1::TASK_DROPPED, v1::TaskStatus::REASON_EXECUTOR_TERMINATED,
                  "The executor was ending when the task arrived");
  return false;
}

/// Recorded when it is new, has come back, or has changed.
void agent::host_framework(step& s, const v1::FrameworkInfo& info) {
  auto& framework = hosted_.admit(info.id());
  idle_.erase(std::remove(idle_.begin(), idle_.end(), framework.id()), idle_.end());
  bool recorded = !framework.executors.empty();
  if (recorded && google::protobuf::util::MessageDifferencer::Equals(framework.info, info)) return;
  framework.info = info;
  internal::FrameworkRecord record;
  *record.mutable_info() = info;
  s.put(keys::agent_framework(info.id()), record);
}

/// The executor of the task; a new run of it, recorded but not started, where none is open.
hosted_executor& agent::host_executor(step& s, hosted_framework& framework, const v1::TaskInfo& info) {
  executor_id eid = executor_id_of(info);
  auto* found = hosted_.find(framework.id(), eid);
  if (found && found->open()) return *found;
  if (found) keep_completed(framework, *found);
  internal::ExecutorRecord record;
  *record.mutable_framework_id() = framework.info.id();
  *record.mutable_info() = info.has_executor() ? info.executor() : built_in_executor(info, framework.id());
  *record.mutable_info()->mutable_framework_id() = framework.info.id();
  container_id container(uuid_text(random_));
  *record.mutable_container_id() = container.proto();
  record.set_sandbox(sandbox_path(options_.work_dir, id(), framework.id(), eid, container));
  record.set_built_in(!info.has_executor());
  s.put(keys::agent_executor(framework.id(), eid), record);
  return hosted_.start(framework, std::move(record));
}

/// Most often its scheduler has subscribed (again). Updates that came while it was away were heard by nobody: they do
/// not wait for their next turn, which may be minutes away.
void agent::handle(step& s, const internal::FrameworkUpdated& updated) {
  framework_id id = updated.framework().id();
  auto* framework = hosted_.find(id);
  if (!framework || framework->removed) return;
  if (framework->executors.empty())
    framework->info = updated.framework();
  else
    host_framework(s, updated.framework());
  s.log("framework.updated framework=" + id.value());
  send_heads_of(s, id);
}

void agent::handle(step& s, const internal::SendToExecutor& message) {
  auto* executor = hosted_.find(framework_id(message.framework_id()), executor_id(message.executor_id()));
  if (!executor || !executor->connected) {
    s.log("message.dropped framework=" + message.framework_id().value() + " executor=" + message.executor_id().value() +
          " reason=executor_not_connected");
    return;
  }
  executor_api::Event::Message event;
  event.set_data(message.data());
  s.say(address(internal::EXECUTOR, executor->container().value()), std::move(event));
}

}  // namespace troupe
