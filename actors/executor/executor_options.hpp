#pragma once

#include "protocol/address.hpp"
#include "troupe/internal/container.pb.h"
#include "troupe/internal/core_options.pb.h"

#include <chrono>

namespace troupe {

/// What a built-in executor is made with.
struct executor_options {
  Address agent;                  ///< whom it reports to
  internal::SpawnExecutor spawn;  ///< whose executor it is, its container and sandbox

  /// Between TERM and the destruction of the container, where neither the kill nor the task names a grace.
  std::chrono::nanoseconds kill_grace = std::chrono::seconds(3);
  /// How much sooner than the agent's own patience a shutdown's grace is over.
  std::chrono::nanoseconds shutdown_margin = std::chrono::seconds(1);
  std::chrono::nanoseconds subscribe_retry = std::chrono::seconds(2);
  std::chrono::nanoseconds destroy_retry = std::chrono::seconds(10);
};

/// As recordings keep them.
internal::ExecutorOptions options_message(const executor_options& options);
executor_options options_from(const internal::ExecutorOptions& kept);

}  // namespace troupe
