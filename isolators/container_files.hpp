#pragma once

#include "protocol/error.hpp"
#include "protocol/ids.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Where the runtime directory keeps what concerns one container. The layout is drawn in isolators/README.md.
struct container_files {
  std::string directory;
  std::string pid_path;     ///< who shim and task are; written by the shim before it reports the start
  std::string status_path;  ///< how the task ended; written by the shim before it ends
  std::string end_path;     ///< how the container ended (internal::ContainerEnd); written before it is told
};

/// The name of a container in file systems: its ids, outermost first, joined by `+`, everything but letters, digits,
/// `-`, `_` and `.` escaped as %XX. Two containers never share one. An error if the id is empty or the name is too long
/// for a file (255 bytes).
result<std::string> container_key(const v1::ContainerID& id);

/// The id of a container by its name; the reverse of container_key. An error for what is nobody's name.
result<v1::ContainerID> container_id_of(const std::string& key);

container_files files_of(const std::string& runtime_directory, const std::string& key);

/// Takes them away; what cannot be is named in the log.
void remove_files(const container_files& files);

/// One process, told apart from a later one with the same number.
struct process_identity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< clock ticks since boot; 0: unknown
};

/// What the shim wrote about a container; what it has not written (yet) is absent.
struct container_record {
  std::optional<int> status;  ///< as from wait(2)
  std::optional<process_identity> shim;
  std::optional<process_identity> task;
  std::string boot;
};

/// Reads a pid or status file. Lines it does not know are passed over; a line it cannot read is errc::corrupt.
result<container_record> parse_container_record(std::string_view text);

/// What the shim said about the start of a task, once its report is complete.
struct shim_report {
  std::optional<process_identity> started;
  std::string failed_step;  ///< empty: exec has happened
  int failed_errno = 0;
};

result<shim_report> parse_shim_report(std::string_view text);

}  // namespace troupe
