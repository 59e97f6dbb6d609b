#pragma once

#include "actors/agent/hosted.hpp"

#include <map>
#include <utility>

namespace troupe {

/// All that an agent hosts, found by framework, by container and by task. References hold until the entry is removed.
class hosted_table {
 public:
  struct place {
    hosted_executor* executor = nullptr;
    hosted_task* task = nullptr;
    explicit operator bool() const { return task != nullptr; }
  };

  const std::map<framework_id, hosted_framework>& all() const { return frameworks_; }
  std::map<framework_id, hosted_framework>& all() { return frameworks_; }

  hosted_framework* find(const framework_id& id);
  hosted_executor* find(const framework_id& framework, const executor_id& id);
  hosted_executor* find(const container_id& id);
  place find(const framework_id& framework, const task_id& id);

  /// The framework's entry, made if there is none.
  hosted_framework& admit(const framework_id& id);
  /// Adds an executor, or gives one that has terminated a new run: a new container, with the tasks of earlier ones
  /// kept.
  hosted_executor& start(hosted_framework& framework, internal::ExecutorRecord record);
  hosted_task& add(hosted_executor& executor, v1::TaskInfo info);

  void remove_task(hosted_executor& executor, const task_id& id);
  /// Requires that it has no tasks.
  void remove_executor(hosted_framework& framework, const executor_id& id);
  /// Requires that it has no executors.
  void remove_framework(const framework_id& id);

  /// Throws std::logic_error if an index and what it points to disagree.
  void check_invariants() const;

  void save(internal::AgentState& out) const;
  static hosted_table load(const internal::AgentState& in);

 private:
  std::map<framework_id, hosted_framework> frameworks_;
  std::map<container_id, std::pair<framework_id, executor_id>> by_container_;
  std::map<std::pair<framework_id, task_id>, executor_id> by_task_;
};

}  // namespace troupe
