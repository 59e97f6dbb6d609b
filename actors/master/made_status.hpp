#pragma once

#include "actors/runtime/moments.hpp"
#include "protocol/ids.hpp"
#include "troupe/v1/troupe.pb.h"

#include <optional>
#include <string>

/// Task statuses that the master makes itself. They carry no uuid: nobody repeats them, and nobody acknowledges them.
namespace troupe {

/// What a status says beside which task and which state.
struct status_words {
  v1::TaskState state;
  v1::TaskStatus::Reason reason;
  std::string message = {};
};

v1::TaskStatus made_status(const v1::TaskID& task, const v1::AgentID* agent, status_words words, wall_time now);
v1::TaskStatus made_status(const v1::Task& task, status_words words, wall_time now);

/// UNREACHABLE, UNKNOWN and GONE_BY_OPERATOR are the master's own words about a task.
bool may_come_from_agent(v1::TaskState state);

/// The state that the task's last update spoke of; the latest known state where there was none.
v1::TaskState reported_state(const v1::Task& task);

/// A copy of what is last known of the task: without data, message and uuid.
v1::TaskStatus last_known(const v1::Task& task, v1::TaskStatus::Reason reason, wall_time now);

/// Keeps a status in the task's history, without its data; one a state in a row.
void remember_status(v1::Task& task, const v1::TaskStatus& status);

}  // namespace troupe
