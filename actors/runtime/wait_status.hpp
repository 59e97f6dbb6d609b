#pragma once

#include <sys/wait.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

namespace troupe {

/// A status as from wait(2), continuing a sentence: "exited with status 7", "terminated with signal SIGKILL".
/// Absent: nobody could observe it.
inline std::string describe_wait_status(std::optional<std::int32_t> status) {
  if (!status) return "ended with an exit status that nobody could observe";
  if (WIFEXITED(*status)) return "exited with status " + std::to_string(WEXITSTATUS(*status));
  if (!WIFSIGNALED(*status)) return "ended with the unusual wait status " + std::to_string(*status);
  const char* name = sigabbrev_np(WTERMSIG(*status));
  return "terminated with signal " + (name ? std::string("SIG") + name : std::to_string(WTERMSIG(*status)));
}

}  // namespace troupe
