#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Verbs and messages as people read them.
namespace troupe {

/// A verb's name without its package: RegisterAgent, scheduler.Call.Accept, executor.Event.Launch.
std::string written(std::uint32_t verb);

/// One scalar in a message: its path (status.task_id.value) and its value as text.
using leaf = std::pair<std::string, std::string>;

/// All scalars that are set, in the order of their fields.
std::vector<leaf> leaves_of(const google::protobuf::Message& message);

/// Leaves in one line, `path=value` each. What is long or not printable is told by its size; the line ends at
/// `bytes_max`.
std::string line_of(const std::vector<leaf>& leaves, std::size_t bytes_max = 700);
std::string line_of(const google::protobuf::Message& message);

}  // namespace troupe
