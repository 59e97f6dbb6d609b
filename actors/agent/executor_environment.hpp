#pragma once

#include "actors/agent/agent_options.hpp"
#include "actors/agent/hosted.hpp"

#include <chrono>
#include <string>

namespace troupe {

/// The executor that the agent makes up for a command task: built in, named after its task, charging nothing.
v1::ExecutorInfo built_in_executor(const v1::TaskInfo& task, const framework_id& framework);

/// Where an executor's run keeps its files:
/// <work_dir>/agents/<agent>/frameworks/<framework>/executors/<executor>/runs/<container>.
std::string sandbox_path(const std::string& work_dir, const agent_id& agent, const framework_id& framework,
                         const executor_id& executor, const container_id& container);

/// How long an executor may take to end once it is told to.
std::chrono::nanoseconds shutdown_grace(const v1::ExecutorInfo& executor, const agent_options& options);

/// What a custom executor finds in its environment, under Mesos's names and under ours.
v1::Environment executor_environment(const hosted_executor& executor, const v1::FrameworkInfo& framework,
                                     const agent_id& agent, const agent_options& options);

}  // namespace troupe
