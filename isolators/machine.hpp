#pragma once

#include "protocol/resources.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// What a machine has; absent: it could not be found out.
struct machine {
  std::string hostname;  ///< never empty
  std::string boot_id;   ///< empty if the kernel does not tell; another one means that the machine was started again
  std::optional<std::uint64_t> cpus;
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint64_t> disk_bytes;  ///< of the file system that holds the work directory
};

/// Looks at this machine. `work_directory` need not exist yet: its nearest parent that does counts.
machine detect_machine(const std::string& work_directory);

/// What an agent offers of a machine: the operator's resources, and for each of cpus, mem, disk and ports that they do
/// not name, what was detected. Of memory 1 GB stays with the system, of disk 5 GB, or half where there is less than
/// twice that. What was not detected counts as 1 cpu, 1 GB of memory and 10 GB of disk; ports are [31000-32000]. To
/// keep something out altogether the operator names it with 0 (ports:[]). Pure.
///
/// An error if `given` is not a text of resources; it names what is wrong.
result<resources> resources_of(const machine& here, std::string_view given);

}  // namespace troupe
