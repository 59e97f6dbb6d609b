#include "actors/agent/agent.hpp"
#include "actors/agent/executor_environment.hpp"
#include "actors/agent/reconfiguration.hpp"
#include "protocol/mutant.hpp"
#include "protocol/quoting.hpp"
#include "protocol/task_state.hpp"
#include "storage/keys.hpp"

#include <utility>

/// What is remembered, and what becomes of it after a restart: same identity, no update lost, every executor of before
/// is asked after.
namespace troupe {

namespace {

/// The number at the end of an update's key; absent if it is none.
std::optional<std::uint64_t> parse_ordered(const std::string& text) {
  if (text.size() != 16 || text.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  return std::stoull(text, nullptr, 16);
}

/// A task's executor, even if the record of that one is lost: then all that is known of it is its name.
hosted_executor& executor_of(hosted_table& hosted, const internal::TaskRecord& task) {
  framework_id framework = task.framework_id();
  if (auto* found = hosted.find(framework, executor_id(task.executor_id()))) return *found;
  internal::ExecutorRecord record;
  *record.mutable_framework_id() = task.framework_id();
  *record.mutable_info()->mutable_executor_id() = task.executor_id();
  record.mutable_container_id()->set_value("lost-" + framework.value() + "-" + task.executor_id().value());
  record.set_built_in(!task.info().has_executor());
  return hosted.start(hosted.admit(framework), std::move(record));
}

}  // namespace

void agent::remember(std::string_view key, std::string_view record) {
  auto path = keys::components(key);
  bool read = false;
  if (path.size() == 2 && path[1] == "self") {
    read = static_cast<bool>(decode_record(record, self_));
    if (mutated(mutant::epoch_not_remembered)) self_.clear_epoch();
  } else if (path.size() == 3 && path[1] == "framework") {
    internal::FrameworkRecord found;
    if ((read = static_cast<bool>(decode_record(record, found)))) {
      auto& framework = hosted_.admit(framework_id(path[2]));
      framework.info = found.info();
      framework.removed = found.removed();
    }
  } else if (path.size() == 4 && path[1] == "executor") {
    internal::ExecutorRecord found;
    if ((read = static_cast<bool>(decode_record(record, found)))) {
      auto& executor = hosted_.start(hosted_.admit(framework_id(path[2])), std::move(found));
      if (executor.record.ended()) executor.at = internal::AgentState::Executor::TERMINATED;
    }
  } else if (path.size() == 4 && path[1] == "task") {
    internal::TaskRecord found;
    if ((read = static_cast<bool>(decode_record(record, found)))) {
      auto& task = hosted_.add(executor_of(hosted_, found), found.info());
      task.state = found.state();
      task.latest_uuid = found.latest_uuid();
      task.kill_asked = found.kill_asked();
      if (found.has_kill_policy()) task.kill_policy = found.kill_policy();
      task.queued = false;
    }
  } else if (path.size() == 5 && path[1] == "update") {
    internal::UpdateRecord found;
    auto number = parse_ordered(path[4]);
    if ((read = number && decode_record(record, found))) {
      stream_key stream(path[2], path[3]);
      streams_.try_emplace(stream, status_stream(found.executor_id())).first->second.recover(*number, found.status());
    }
  }
  if (!read) unreadable_.emplace_back(key);
}

void agent::handle(step& s, const internal::Recovered& recovered) {
  instance_id_ = recovered.id();
  bool rebooted = self_.has_boot_id() && self_.boot_id() != options_.boot_id;
  s.log("agent.recovered instance=" + instance_id_ + " agent=" + id().value() +
        " frameworks=" + std::to_string(hosted_.all().size()) + " streams=" + std::to_string(streams_.size()) +
        " rebooted=" + (rebooted ? "true" : "false"));
  for (const auto& key : unreadable_) s.log("record.unreadable key=" + key);
  unreadable_.clear();
  if (mutated(mutant::identity_lost_at_reboot) && rebooted) self_.Clear();
  if (refuse_configuration(s)) return;
  tell_process(s, "recovered", "");
  if (!id().empty()) tell_process(s, "admitted", id().value());

  keep_containers(s);
  std::vector<framework_id> found;
  std::vector<container_id> executors;
  for (const auto& [fid, framework] : hosted_.all()) {
    found.push_back(fid);
    for (const auto& [eid, executor] : framework.executors)
      if (!executor.terminated()) executors.push_back(executor.container());
  }
  for (const auto& container : executors) {
    auto& executor = *hosted_.find(container);
    if (rebooted)
      give_up_executor(s, executor, "The machine of the agent was rebooted while the task was on it");
    else if (executor.record.sandbox().empty())
      give_up_executor(s, executor, "The agent restarted, and its record of the executor could not be read");
    else
      resume_executor(s, executor);
  }
  for (const auto& fid : found) settle_framework(s, fid);
  seek_master(s, "recovered");
}

/// What the agent was admitted with was offered, and may be in use. If its configuration takes some of that back, it
/// does nothing at all: what runs here runs on, and so does whatever watches over it.
bool agent::refuse_configuration(step& s) {
  if (id().empty()) return false;
  const auto allowed = check_reconfiguration(self_.info(), options_.info, options_.reconfiguration);
  if (allowed) return false;
  s.log("agent.misconfigured agent=" + id().value() + " reason=" + quoted(allowed.error().message, 2000));
  registration_.misconfigure(allowed.error().message);
  tell_process(s, "misconfigured", allowed.error().message);
  return true;
}

/// Before anything is launched again: what else there is ends.
void agent::keep_containers(step& s) const {
  internal::KeepContainers keep;
  for (const auto& [fid, framework] : hosted_.all())
    for (const auto& [eid, executor] : framework.executors)
      if (!executor.terminated()) *keep.add_container_ids() = executor.record.container_id();
  s.say(address(internal::CONTAINERIZER, "local"), std::move(keep));
}

agent::ending agent::restarted(const hosted_executor& executor, const std::string& message) {
  ending why;
  why.set_state(executor.built_in() ? v1::TASK_FAILED : v1::TASK_GONE);
  why.set_reason(v1::TaskStatus::REASON_AGENT_RESTARTED);
  why.set_message(message);
  return why;
}

/// Nothing of it can be left but what has to be destroyed.
void agent::give_up_executor(step& s, hosted_executor& executor, const std::string& message) {
  executor.at = internal::AgentState::Executor::TERMINATING;
  executor.ending = restarted(executor, message);
  executor.used = true;
  if (executor.built_in()) retire(s, executor);  // silence it first, so that no other reason can win
  destroy_executor(s, executor);
}

/// It may run, or have ended meanwhile: the answer to its repeated start tells. `executor` may be gone afterwards.
void agent::resume_executor(step& s, hosted_executor& executor) {
  const auto& framework = *hosted_.find(executor.framework());
  executor.returning = executor.used = executor.built_in() || executor.was_started();
  if (framework.removed) {
    if (executor.built_in()) retire(s, executor);
    ending why;
    why.set_state(v1::TASK_KILLED);
    why.set_reason(v1::TaskStatus::REASON_FRAMEWORK_REMOVED);
    why.set_message("The framework was removed");
    end_executor(s, executor, std::move(why));
  } else if (executor.built_in() && !runs_something(executor)) {
    conclude_executor(s, executor, nullptr);
  } else if (executor.returning || (!mutated(mutant::queued_task_not_recovered) && requeue(executor))) {
    start_executor(s, framework, executor);
  } else {
    end_executor(s, executor, std::nullopt);
  }
}

/// Of a custom executor that was not known to run: nothing can have been handed to it. False: nothing is to be.
bool agent::requeue(hosted_executor& executor) {
  for (auto& [tid, task] : executor.tasks) {
    if (is_terminal(task.state)) continue;
    task.queued = true;
    executor.queue.push_back(tid);
  }
  return !executor.queue.empty();
}

}  // namespace troupe
