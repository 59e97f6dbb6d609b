#pragma once

#include "protocol/resources.hpp"
#include "troupe/internal/container.pb.h"

#include <cstdint>
#include <optional>

namespace troupe {

constexpr std::int64_t bytes_per_mb = 1024 * 1024;

/// What a container may use: its request (always guaranteed) and, where one is drawn, the line it may not cross.
struct container_limits {
  std::optional<milli> cpus;                     ///< requested
  std::optional<milli> cpus_max;                 ///< absent: whatever the machine has to spare
  std::optional<std::int64_t> memory_bytes;      ///< requested
  std::optional<std::int64_t> memory_bytes_max;  ///< absent: whatever the machine has to spare
};

/// From a launch's resources and limits. A limit without a word is the request; an infinite one is none; a request that
/// is not made draws no line. Errors name the field: only finite amounts >= 0, or infinity, are limits, and none is
/// below its request.
result<container_limits> limits_of(const internal::LaunchContainer& launch);

}  // namespace troupe
