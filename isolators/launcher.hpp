#pragma once

#include "actors/runtime/file_descriptor.hpp"
#include "protocol/error.hpp"

#include <sys/types.h>

#include <string>

namespace troupe {

/// A shim that has been started, seen from the agent.
struct started_shim {
  pid_t pid = 0;
  file_descriptor process;  ///< a pidfd: readable when the shim has ended; then it must be reaped
  file_descriptor report;   ///< non-blocking; complete at its end of file (isolators/shim/shim.c)
};

/// Starts `shim_path` with the plan (launch_plan.hpp: flat_form). The agent's process is never forked as a whole, and
/// of its descriptors the shim gets none but the plan and the report. `name` shows in process lists. Thread-safe.
result<started_shim> start_shim(const std::string& shim_path, const std::string& name, const std::string& flat_plan);

/// Takes the ended shim off the process table. False: it has not ended, or is not our child.
bool reap(const started_shim& shim);

/// troupe-shim beside the running program.
std::string shim_beside_program();

}  // namespace troupe
