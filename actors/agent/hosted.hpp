#pragma once

#include "actors/runtime/moments.hpp"
#include "protocol/ids.hpp"
#include "troupe/internal/agent_state.pb.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What an agent hosts: frameworks, their executors, their tasks.
namespace troupe {

/// A task from its arrival until its last update is acknowledged.
struct hosted_task {
  v1::TaskInfo info;
  v1::TaskState state = v1::TASK_STAGING;  ///< the newest, acknowledged or not
  bool queued = true;                      ///< not handed to its executor yet
  bool kill_asked = false;                 ///< said again when the executor subscribes again
  std::optional<v1::KillPolicy> kill_policy;
  std::string latest_uuid;  ///< of the newest update, acknowledged or not; an executor that forgot says it again
  std::vector<v1::TaskStatus> statuses;  ///< the last of each state, in the order of first appearance
};

/// One executor; its phases:
///
///     REGISTERING ─ subscribed ─► RUNNING ─ told to end ─► TERMINATING ─ nothing of it is left ─► TERMINATED
///          └────────── not in time, or told to end ─────────────┘        (kept while its tasks have unacknowledged
///          updates)
struct hosted_executor {
  using phase = internal::AgentState::Executor::Phase;

  internal::ExecutorRecord record;
  phase at = internal::AgentState::Executor::REGISTERING;
  bool connected = false;   ///< subscribed, and its link stands
  bool used = false;        ///< it has been handed a task
  bool destroying = false;  ///< its container has been asked to be destroyed
  bool returning = false;   ///< of an earlier incarnation of the agent; it has not subscribed to this one yet
  moment deadline;          ///< REGISTERING: to subscribe; TERMINATING: for the next, harder measure
  std::optional<internal::AgentState::Ending> ending;  ///< what its tasks are told, if its end was decided here
  std::map<task_id, hosted_task> tasks;
  std::vector<task_id> queue;  ///< the queued ones, in the order of their arrival
  std::deque<v1::Task> completed;

  framework_id framework() const { return record.framework_id(); }
  executor_id id() const { return record.info().executor_id(); }
  container_id container() const { return record.container_id(); }
  bool built_in() const { return record.built_in(); }
  /// Its process has been seen to run.
  bool was_started() const;
  /// It may still be given tasks.
  bool open() const {
    return at == internal::AgentState::Executor::REGISTERING || at == internal::AgentState::Executor::RUNNING;
  }
  bool terminating() const { return at == internal::AgentState::Executor::TERMINATING; }
  bool terminated() const { return at == internal::AgentState::Executor::TERMINATED; }
};

/// A framework that has, or had, something here.
struct hosted_framework {
  v1::FrameworkInfo info;
  bool removed = false;  ///< shut down by the master: what it has here ends, and nothing more is taken
  std::map<executor_id, hosted_executor> executors;
  std::deque<std::shared_ptr<const internal::AgentView::Executor>> completed;

  framework_id id() const { return info.id(); }
};

}  // namespace troupe
