#include "actors/agent/hosted_table.hpp"

#include "protocol/task_state.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace troupe {

bool hosted_executor::was_started() const {
  return record.has_pid() || std::any_of(tasks.begin(), tasks.end(), [](const auto& entry) {
           return entry.second.state != v1::TASK_STAGING && !is_terminal(entry.second.state);
         });
}

hosted_framework* hosted_table::find(const framework_id& id) {
  auto it = frameworks_.find(id);
  return it == frameworks_.end() ? nullptr : &it->second;
}

hosted_executor* hosted_table::find(const framework_id& framework, const executor_id& id) {
  auto* found = find(framework);
  if (!found) return nullptr;
  auto it = found->executors.find(id);
  return it == found->executors.end() ? nullptr : &it->second;
}

hosted_executor* hosted_table::find(const container_id& id) {
  auto it = by_container_.find(id);
  return it == by_container_.end() ? nullptr : find(it->second.first, it->second.second);
}

hosted_table::place hosted_table::find(const framework_id& framework, const task_id& id) {
  auto it = by_task_.find({framework, id});
  if (it == by_task_.end()) return {};
  auto* executor = find(framework, it->second);
  return {executor, &executor->tasks.at(id)};
}

hosted_framework& hosted_table::admit(const framework_id& id) {
  auto& framework = frameworks_[id];
  *framework.info.mutable_id() = id.proto();
  return framework;
}

hosted_executor& hosted_table::start(hosted_framework& framework, internal::ExecutorRecord record) {
  executor_id id = record.info().executor_id();
  auto& executor = framework.executors[id];
  by_container_.erase(executor.container());
  by_container_[record.container_id()] = {framework.id(), id};
  executor.record = std::move(record);
  executor.at = internal::AgentState::Executor::REGISTERING;
  executor.connected = executor.used = executor.destroying = executor.returning = false;
  executor.deadline.reset();
  executor.ending.reset();
  executor.completed.clear();
  return executor;
}

hosted_task& hosted_table::add(hosted_executor& executor, v1::TaskInfo info) {
  task_id id = info.task_id();
  by_task_[{executor.framework(), id}] = executor.id();
  auto& task = executor.tasks[id];
  task.info = std::move(info);
  return task;
}

void hosted_table::remove_task(hosted_executor& executor, const task_id& id) {
  by_task_.erase({executor.framework(), id});
  executor.queue.erase(std::remove(executor.queue.begin(), executor.queue.end(), id), executor.queue.end());
  executor.tasks.erase(id);
}

void hosted_table::remove_executor(hosted_framework& framework, const executor_id& id) {
  by_container_.erase(framework.executors.at(id).container());
  framework.executors.erase(id);
}

void hosted_table::remove_framework(const framework_id& id) {
  frameworks_.erase(id);
}

void hosted_table::check_invariants() const {
  auto require = [](bool holds, const std::string& what, const std::string& id) {
    if (!holds) throw std::logic_error("agent: " + what + ": " + id);
  };
  std::size_t executors = 0;
  std::size_t tasks = 0;
  for (const auto& [fid, framework] : frameworks_) {
    require(framework.id() == fid, "a framework under another one's id", fid.value());
    for (const auto& [eid, executor] : framework.executors) {
      ++executors;
      tasks += executor.tasks.size();
      require(executor.id() == eid && executor.framework() == fid, "an executor under another one's id", eid.value());
      auto indexed = by_container_.find(executor.container());
      require(indexed != by_container_.end() && indexed->second == std::make_pair(fid, eid),
              "an executor that its container does not lead to", eid.value());
      for (const auto& [tid, task] : executor.tasks) {
        auto found = by_task_.find({fid, tid});
        require(found != by_task_.end() && found->second == eid, "a task that is not in the index", tid.value());
        require(task_id(task.info.task_id()) == tid, "a task under another one's id", tid.value());
      }
    }
  }
  require(by_container_.size() == executors, "containers without an executor", std::to_string(by_container_.size()));
  require(by_task_.size() == tasks, "task ids without a task", std::to_string(by_task_.size()));
}

namespace {

void save_task(const hosted_task& task, internal::AgentState::Task& out) {
  *out.mutable_info() = task.info;
  out.set_state(task.state);
  out.set_queued(task.queued);
  out.set_kill_asked(task.kill_asked);
  if (!task.latest_uuid.empty()) out.set_latest_uuid(task.latest_uuid);
  if (task.kill_policy) *out.mutable_kill_policy() = *task.kill_policy;
  for (const auto& status : task.statuses) *out.add_statuses() = status;
}

void load_task(const internal::AgentState::Task& in, hosted_task& task) {
  task.state = in.state();
  task.queued = in.queued();
  task.kill_asked = in.kill_asked();
  task.latest_uuid = in.latest_uuid();
  if (in.has_kill_policy()) task.kill_policy = in.kill_policy();
  task.statuses.assign(in.statuses().begin(), in.statuses().end());
}

void save_executor(const hosted_executor& executor, internal::AgentState::Executor& out) {
  *out.mutable_record() = executor.record;
  out.set_phase(executor.at);
  out.set_connected(executor.connected);
  out.set_used(executor.used);
  out.set_destroying(executor.destroying);
  if (executor.returning) out.set_returning(true);
  if (executor.deadline) out.set_deadline_ns(nanoseconds_of(*executor.deadline));
  if (executor.ending) *out.mutable_ending() = *executor.ending;
  for (const auto& [id, task] : executor.tasks) save_task(task, *out.add_tasks());
  for (const auto& id : executor.queue) *out.add_queue() = id.proto();
  for (const auto& task : executor.completed) *out.add_completed_tasks() = task;
}

void load_executor(const internal::AgentState::Executor& in, hosted_executor& executor) {
  executor.at = in.phase();
  executor.connected = in.connected();
  executor.used = in.used();
  executor.destroying = in.destroying();
  executor.returning = in.returning();
  if (in.has_deadline_ns()) executor.deadline = monotonic_at(in.deadline_ns());
  if (in.has_ending()) executor.ending = in.ending();
  executor.queue.assign(in.queue().begin(), in.queue().end());
  executor.completed.assign(in.completed_tasks().begin(), in.completed_tasks().end());
}

}  // namespace

void hosted_table::save(internal::AgentState& out) const {
  for (const auto& [id, framework] : frameworks_) {
    auto* saved = out.add_frameworks();
    *saved->mutable_info() = framework.info;
    saved->set_removed(framework.removed);
    for (const auto& [eid, executor] : framework.executors) save_executor(executor, *saved->add_executors());
    for (const auto& executor : framework.completed) *saved->add_completed() = *executor;
  }
}

hosted_table hosted_table::load(const internal::AgentState& in) {
  hosted_table table;
  for (const auto& saved : in.frameworks()) {
    auto& framework = table.admit(saved.info().id());
    framework.info = saved.info();
    framework.removed = saved.removed();
    for (const auto& executor : saved.executors()) {
      auto& loaded = table.start(framework, executor.record());
      load_executor(executor, loaded);
      for (const auto& task : executor.tasks()) load_task(task, table.add(loaded, task.info()));
    }
    for (const auto& executor : saved.completed())
      framework.completed.push_back(std::make_shared<const internal::AgentView::Executor>(executor));
  }
  return table;
}

}  // namespace troupe
