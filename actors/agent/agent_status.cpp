#include "actors/agent/agent.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <utility>

/// What becomes of tasks reaches their schedulers: protocol/proto/troupe/internal/status.proto.
namespace troupe {

namespace {

/// States that only a master can know of.
bool is_masters_own(v1::TaskState state) {
  return state == v1::TASK_UNREACHABLE || state == v1::TASK_UNKNOWN || state == v1::TASK_GONE_BY_OPERATOR;
}

/// For people: without what only the scheduler understands.
void keep_status(std::vector<v1::TaskStatus>& kept, v1::TaskStatus status) {
  status.clear_data();
  auto it = std::find_if(kept.begin(), kept.end(), [&](const auto& other) { return other.state() == status.state(); });
  if (it == kept.end())
    kept.push_back(std::move(status));
  else
    *it = std::move(status);
}

}  // namespace

v1::TaskStatus agent::own_status(v1::TaskState state, v1::TaskStatus::Reason reason, const std::string& message) const {
  v1::TaskStatus status;
  status.set_state(state);
  status.set_reason(reason);
  status.set_message(message);
  status.set_source(v1::TaskStatus::SOURCE_AGENT);
  return status;
}

void agent::handle(step& s, const executor_api::Call::Update& update) {
  auto* executor = hosted_.find(container_id(s.head.from().id()));
  if (!executor) {
    s.log("update.dropped container=" + s.head.from().id() + " task=" + update.status().task_id().value() +
          " reason=unknown_executor");
    return;
  }
  take_update(s, *executor, update.status());
}

/// Why the update is not one that this executor can make; absent: it is.
std::optional<std::string> agent::flaw_in(const hosted_executor& executor, const v1::TaskStatus& status) const {
  if (status.uuid().size() != 16) return "status.uuid: must have 16 bytes";
  if (status.has_source() && status.source() != v1::TaskStatus::SOURCE_EXECUTOR)
    return "status.source: must be SOURCE_EXECUTOR";
  if (status.state() == v1::TASK_STAGING || is_masters_own(status.state()))
    return "status.state: an executor cannot report TASK_" + std::string(short_name(status.state()));
  if (status.has_executor_id() && executor_id(status.executor_id()) != executor.id())
    return "status.executor_id: must be '" + executor.id().value() + "'";
  return std::nullopt;
}

/// Records the update and acknowledges it to the executor. What is known already, or comes after the end, is
/// acknowledged only; and what is said to run after its end is killed: its launch was held up here, by a disk that did
/// not answer, and given up meanwhile. `executor` may be gone afterwards.
void agent::take_update(step& s, hosted_executor& executor, v1::TaskStatus status) {
  task_id id = status.task_id();
  auto uuid = status.uuid();
  auto from = address(internal::EXECUTOR, executor.container().value());
  auto line = " framework=" + executor.framework().value() + " task=" + id.value() +
              " state=" + std::string(short_name(status.state()));
  if (auto flaw = flaw_in(executor, status)) {
    s.log("update.refused" + line + " reason=" + *flaw);
    executor_api::Event::Error error;
    error.set_message(*flaw);
    s.say(from, std::move(error));
    return;
  }
  auto task = executor.tasks.find(id);
  if (task != executor.tasks.end() && task->second.queued) {
    // It was handed the task before the agent ended, who had not recorded yet that the executor runs.
    task->second.queued = false;
    auto& queue = executor.queue;
    queue.erase(std::remove(queue.begin(), queue.end(), id), queue.end());
    executor.used = true;
  }
  auto stream = streams_.find({executor.framework(), id});
  const bool known = (stream != streams_.end() && stream->second.knows(uuid)) ||
                     (task != executor.tasks.end() && task->second.latest_uuid == uuid);
  const bool is_over = task == executor.tasks.end() || is_terminal(task->second.state);
  const bool runs_on = !known && is_over && !executor.built_in() && !is_terminal(status.state());
  if (known) {
    s.log("update.repeated" + line);
  } else if (task == executor.tasks.end()) {
    s.log("update.dropped" + line + " reason=unknown_task");
  } else if (!(may_follow(task->second.state, status.state()) ||
               (mutated(mutant::second_end_accepted) && is_terminal(status.state())))) {
    s.log("update.dropped" + line + " reason=cannot_follow known_state=" + std::string(short_name(task->second.state)));
  } else {
    status.set_source(v1::TaskStatus::SOURCE_EXECUTOR);
    if (!status.container_status().has_container_id())
      *status.mutable_container_status()->mutable_container_id() = executor.record.container_id();
    publish(s, executor.framework(), executor.id(), id, std::move(status));
  }
  executor_api::Event::Acknowledged acknowledged;
  *acknowledged.mutable_task_id() = id.proto();
  acknowledged.set_uuid(uuid);
  s.say(from, std::move(acknowledged));
  if (runs_on) {
    s.log("task.kill" + line + " reason=runs_after_its_end");
    executor_api::Event::Kill kill;
    *kill.mutable_task_id() = id.proto();
    s.say(from, std::move(kill));
  }
  if (executor.built_in() && executor.terminating() && !runs_something(executor))
    conclude_executor(s, executor, nullptr);
}

/// The one way of an update into the world: completed, recorded, and sent if nothing waits before it.
void agent::publish(step& s, const framework_id& framework, const executor_id& executor, const task_id& task,
                    v1::TaskStatus status) {
  *status.mutable_task_id() = task.proto();
  *status.mutable_agent_id() = id().proto();
  if (!executor.empty()) *status.mutable_executor_id() = executor.proto();
  if (!status.has_timestamp()) status.set_timestamp(seconds_of(s.now.wall_now));
  if (!status.has_uuid()) status.set_uuid(random_.bytes16());
  s.log("task.update framework=" + framework.value() + " task=" + task.value() +
        " state=" + std::string(short_name(status.state())) +
        (status.has_reason() ? " reason=" + v1::TaskStatus::Reason_Name(status.reason()) : ""));
  note_state(s, framework, status);
  internal::UpdateRecord record;
  *record.mutable_framework_id() = framework.proto();
  *record.mutable_executor_id() = executor.proto();
  *record.mutable_status() = status;
  stream_key key(framework, task);
  auto& stream = streams_.try_emplace(key, status_stream(executor)).first->second;
  bool first = stream.empty();
  const bool ended = is_terminal(status.state());
  s.put(keys::agent_update(framework, task, stream.append(std::move(status))), record);
  if (mutated(mutant::update_sent_unrecorded) && first && registration_.registered()) s.out.edits.pop_back();
  const auto* host = hosted_.find(framework);
  // Once the task has ended, the head goes out again for the latest state that comes with it: the master gives what the
  // task held to others, however long its framework takes to acknowledge.
  if (first || ended || (host && host->removed)) send_head(s, key, stream);
}

void agent::note_state(step& s, const framework_id& framework, const v1::TaskStatus& status) {
  auto place = hosted_.find(framework, task_id(status.task_id()));
  if (!place) return;
  keep_status(place.task->statuses, status);
  place.task->state = status.state();
  place.task->latest_uuid = status.uuid();
  record_task(s, *place.executor, *place.task);
}

void agent::record_task(step& s, const hosted_executor& executor, const hosted_task& task) {
  internal::TaskRecord record;
  *record.mutable_framework_id() = executor.record.framework_id();
  *record.mutable_executor_id() = executor.record.info().executor_id();
  *record.mutable_info() = task.info;
  record.set_state(task.state);
  if (!task.latest_uuid.empty()) record.set_latest_uuid(task.latest_uuid);
  if (task.kill_asked) record.set_kill_asked(true);
  if (task.kill_policy) *record.mutable_kill_policy() = *task.kill_policy;
  s.put(keys::agent_task(executor.framework(), task_id(task.info.task_id())), record);
}

void agent::send_head(step& s, const stream_key& key, status_stream& stream) {
  if (!registration_.registered() || stream.empty()) {
    stream.rest();
    return;
  }
  internal::StatusUpdated update;
  *update.mutable_agent_id() = id().proto();
  *update.mutable_framework_id() = key.first.proto();
  if (!stream.executor().empty()) *update.mutable_executor_id() = stream.executor().proto();
  *update.mutable_status() = stream.head();
  update.set_latest_state(stream.latest());
  s.say(leader(), std::move(update));
  stream.sent(s.now.now, options_.status_retry, options_.status_retry_max);
  expect(stream.due());
}

void agent::send_heads_of(step& s, const framework_id& framework) {
  for (auto it = streams_.lower_bound({framework, task_id()}); it != streams_.end() && it->first.first == framework;
       ++it) {
    it->second.rest();
    send_head(s, it->first, it->second);
  }
}

void agent::rest_streams() {
  for (auto& [key, stream] : streams_) stream.rest();
}

void agent::handle(step& s, const internal::AcknowledgeStatus& acknowledged) {
  stream_key key(acknowledged.framework_id(), acknowledged.task_id());
  auto it = streams_.find(key);
  bool ends = it != streams_.end() && !it->second.empty() && is_terminal(it->second.head().state());
  auto number = it == streams_.end() ? std::nullopt : it->second.acknowledge(acknowledged.uuid());
  if (!number) {
    s.log("update.acknowledgement_ignored framework=" + key.first.value() + " task=" + key.second.value());
    return;
  }
  if (!mutated(mutant::acknowledged_update_returns)) s.erase(keys::agent_update(key.first, key.second, *number));
  s.log("update.acknowledged framework=" + key.first.value() + " task=" + key.second.value() +
        " number=" + std::to_string(*number));
  if (mutated(mutant::stream_closed_early) && !it->second.empty() && is_terminal(it->second.latest()))
    return complete_task(s, key);
  if (!it->second.empty())
    send_head(s, key, it->second);
  else if (ends || !hosted_.find(key.first, key.second))
    complete_task(s, key);
}

/// The scheduler knows how the task ended: nothing of it needs to be remembered.
void agent::complete_task(step& s, const stream_key& key) {
  streams_.erase(key);
  auto place = hosted_.find(key.first, key.second);
  if (!place) return;
  executor_id executor = place.executor->id();
  s.erase(keys::agent_task(key.first, key.second));
  place.executor->completed.push_back(task_message(*place.executor, *place.task));
  if (place.executor->completed.size() > options_.completed_tasks_max) place.executor->completed.pop_front();
  hosted_.remove_task(*place.executor, key.second);
  settle_executor(s, key.first, executor);
}

/// As the master and people see the task.
v1::Task agent::task_message(const hosted_executor& executor, const hosted_task& task) const {
  v1::Task out;
  out.set_name(task.info.name());
  *out.mutable_task_id() = task.info.task_id();
  *out.mutable_framework_id() = executor.record.framework_id();
  if (!executor.built_in()) *out.mutable_executor_id() = executor.record.info().executor_id();
  *out.mutable_agent_id() = task.info.agent_id();
  out.set_state(task.state);
  *out.mutable_resources() = task.info.resources();
  for (const auto& status : task.statuses) *out.add_statuses() = status;
  auto stream = streams_.find({executor.framework(), task_id(task.info.task_id())});
  bool waiting = stream != streams_.end() && !stream->second.empty();
  out.set_status_update_state(waiting ? stream->second.head().state() : task.state);
  if (waiting) out.set_status_update_uuid(stream->second.head().uuid());
  if (task.info.has_labels()) *out.mutable_labels() = task.info.labels();
  if (task.info.has_discovery()) *out.mutable_discovery() = task.info.discovery();
  if (task.info.has_container()) *out.mutable_container() = task.info.container();
  if (task.info.has_health_check()) *out.mutable_health_check() = task.info.health_check();
  if (task.info.has_kill_policy()) *out.mutable_kill_policy() = task.info.kill_policy();
  const auto& command = task.info.has_executor() ? task.info.executor().command() : task.info.command();
  if (command.has_user()) out.set_user(command.user());
  *out.mutable_limits() = task.info.limits();
  return out;
}

}  // namespace troupe
