#pragma once

#include "actors/runtime/file_descriptor.hpp"
#include "isolators/container_files.hpp"
#include "protocol/error.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// What we use of a process's line in /proc/PID/stat.
struct process_stat {
  process_identity identity;
  char state = '?';
  pid_t parent = 0;
  pid_t session = 0;
};

result<process_stat> parse_process_stat(std::string_view line);

/// A descriptor that goes on naming this process, whatever becomes of its number, and is readable when it has ended.
/// None, with errno set: no such process.
file_descriptor open_pidfd(pid_t pid);

/// To the process that the pidfd names, and to nobody else; nothing happens if it has ended.
void signal_process(const file_descriptor& process, int number);

/// Is this very process still there (and not a later one of the same number, nor a zombie)?
bool is_alive(const process_identity& process);

/// Sends SIGKILL to every process of the session that `leader` opened. False: there was none. Does nothing if the
/// number now belongs to another process.
bool kill_session(const process_identity& leader);

/// The kernel's name for this run of the machine; empty if it does not tell.
std::string boot_id();

}  // namespace troupe
