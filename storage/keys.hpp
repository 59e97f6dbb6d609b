#pragma once

#include "protocol/ids.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The key tree. A key is a path; its components are escaped so that no component can forge a separator and every key
/// reads back as the components it was made of. Keys are ordered by their bytes: the keys below one path lie together,
/// and its leaves, where they are made of letters, digits, '-', '_' and '.', are in the order of their names.
///
///     identity/<role>                                 Identity          drawn once; rises at every recovery
///     master/agent/<agent id>                         AgentRecord
///     master/framework/<framework id>                 FrameworkRecord
///     master/weight/<role>                            WeightRecord
///     agent/self                                      AgentSelfRecord
///     agent/framework/<framework id>                  FrameworkRecord
///     agent/executor/<framework id>/<executor id>     ExecutorRecord
///     agent/task/<framework id>/<task id>             TaskRecord
///     agent/update/<framework id>/<task id>/<number>  UpdateRecord      until acknowledged; number is 16 hex digits
///     framework/self                                  FrameworkSelfRecord  of a framework, in a journal of its own
///     framework/app/<key>                             what the framework's program puts there
///     executor/task/<task id>                         ExecutorTaskRecord   of a custom executor, in a journal of its
///     own executor/update/<number>                        ExecutorUpdateRecord until acknowledged; number is 16 hex
///     digits executor/app/<key>                              what the executor's program puts there head HeadRecord
///     what the journal counts, see storage/heads.hpp quarantine/<key>                                damaged bytes
///     moved here from that key by the journal quarantine/head/<owner>                         LossRecord records are
///     missing below that first component
namespace troupe::keys {

/// Joins components with '/', escaping '%', '/' and control characters in each as %XX. The path of nothing and the path
/// of one empty component are both the empty key.
std::string path(const std::vector<std::string_view>& components);

/// The components of a key, unescaped; empty for a key that path() cannot have made.
std::vector<std::string> components(std::string_view key);

/// Whether `key` is `prefix` or lies below it: `a/b` and `a/b/c` are under `a/b`, `a/bc` is not. All keys are under "".
bool under(std::string_view key, std::string_view prefix);

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

/// The first component of a key, as spelt in it.
std::string_view owner(std::string_view key);

/// Where the journal counts its records.
std::string_view head();

constexpr std::string_view quarantine_root = "quarantine";

/// Where the journal moves the damaged record of `key`.
std::string quarantine(std::string_view key);

/// Where it notes that `owner` has not the records that the head record counts.
std::string loss(std::string_view owner);

}  // namespace troupe::keys
