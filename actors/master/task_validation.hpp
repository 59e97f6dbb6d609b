#pragma once

#include "actors/master/agent_table.hpp"
#include "actors/master/framework_table.hpp"
#include "protocol/error.hpp"
#include "protocol/resources.hpp"

#include <string>

namespace troupe {

/// What a task takes out of the offers when it is launched.
struct launch_claim {
  resources task;
  resources executor;  ///< empty unless the task brings an executor that the agent does not run yet
};

/// Where a task is to be launched.
struct launch_site {
  const framework& owner;
  const registered_agent& agent;
  const resources& pool;  ///< what is left of the offers, allocated to their role
};

/// Fills in what a framework may leave out: the role of resources, the executor's framework, the kind of a health
/// check.
v1::TaskInfo with_defaults(v1::TaskInfo task, const framework_id& owner, const std::string& role);

/// Every rule of a task that LAUNCH launches. `task` has its defaults. Errors: invalid, a sentence for the framework
/// that names the field and what would be valid.
result<launch_claim> validate_task(const v1::TaskInfo& task, const launch_site& site);

/// The parts of it that can be judged alone: durations, limits, checks, environment, containers.
result<void> validate_task_shape(const v1::TaskInfo& task);

}  // namespace troupe
