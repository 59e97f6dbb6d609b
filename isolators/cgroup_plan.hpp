#pragma once

#include "isolators/container_limits.hpp"
#include "isolators/isolation_plan.hpp"

#include <cstdint>
#include <string>

namespace troupe {

/// What each cgroup isolator (version 1) wants for a container whose group is `directory`. Pure; the numbers are those
/// of Mesos's isolators.

/// Shares by the request (1024 a cpu, at least 2: the kernel's least). With `hard_cap`, a quota of each 100 ms by the
/// limit, at least 1 ms.
isolation_plan plan_cpu(const std::string& directory, const container_limits& limits, bool hard_cap);

/// Soft limit by the request, hard limit by the limit, each at least 32 MB; the hard one covers swap too where the
/// kernel accounts for it.
isolation_plan plan_memory(const std::string& directory, const container_limits& limits);

/// Membership alone: to find, stop and end all that belongs to the container, whatever session it has moved to.
isolation_plan plan_freezer(const std::string& directory);

/// What the kernel says about a container's memory at its end.
struct memory_figures {
  std::uint64_t limit_bytes = 0;
  std::uint64_t used_bytes_max = 0;
  std::uint64_t oom_kills =
      0;  ///< how often the kernel killed a process of it, be it for want of memory in the whole machine
  bool notified = false;  ///< the container itself ran out of memory (cgroups::watch_memory)
};

/// Did it run into its own limit? Kernels that do not notify leave only the use to judge by: within 1 MB of the limit.
bool exceeded(const memory_figures& figures);

/// Says so in a container's last message: reason, sentence and figures.
void add_memory_limitation(const memory_figures& figures, internal::ContainerExited& exited);

}  // namespace troupe
