#pragma once

#include "protocol/ids.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The key tree. A key is an ordered path; its components are escaped so that byte order is component order and no component can
/// forge a separator.
///
///     identity/<role>                                    Identity         drawn once; incarnation rises at every recovery
///     master/agent/<agent id>                            AgentRecord
///     master/framework/<framework id>                    FrameworkRecord
///     master/weight/<role>                               WeightRecord
///     agent/self                                         AgentSelfRecord
///     agent/framework/<framework id>                     FrameworkRecord
///     agent/executor/<framework id>/<executor id>        ExecutorRecord
///     agent/task/<framework id>/<task id>                TaskRecord
///     agent/update/<framework id>/<task id>/<number>     UpdateRecord     until acknowledged; number is 16 hex digits
///     executor/<container id>/...                        ExecutorState    of a built-in executor
namespace troupe::keys {

/// Joins components with '/', escaping '%', '/' and control characters in each as %XX.
std::string path(const std::vector<std::string_view>& components);

/// The components of a key, unescaped; empty for a key that path() cannot have made.
std::vector<std::string> components(std::string_view key);

/// A number as a component that sorts by value: 16 hex digits.
std::string ordered(std::uint64_t number);

std::string identity(std::string_view role);

std::string master_agent(const agent_id& agent);
std::string master_framework(const framework_id& framework);
std::string master_weight(std::string_view role);

std::string agent_self();
std::string agent_framework(const framework_id& framework);
std::string agent_executor(const framework_id& framework, const executor_id& executor);
std::string agent_task(const framework_id& framework, const task_id& task);
std::string agent_update(const framework_id& framework, const task_id& task, std::uint64_t number);

std::string executor_state(const container_id& container);

}  // namespace troupe::keys
