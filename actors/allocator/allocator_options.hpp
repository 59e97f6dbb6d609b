#pragma once

#include "actors/allocator/min_allocatable.hpp"
#include "protocol/error.hpp"
#include "troupe/internal/core_options.pb.h"

#include <chrono>
#include <memory>

namespace troupe {

class allocation_policy;

struct allocator_options {
  /// How often the sweep runs, and the least that a refusal lasts.
  std::chrono::nanoseconds allocation_interval = std::chrono::seconds(1);
  min_allocatable minimum = min_allocatable::standard();
  /// Keep agents that have gpus for frameworks that can use them.
  bool hide_gpu_agents = true;
  /// Null means fair.
  std::shared_ptr<const allocation_policy> policy;
};

/// As recordings keep them.
internal::AllocatorOptions options_message(const allocator_options& options);
/// Errors: invalid_argument, naming a policy that this program does not have.
result<allocator_options> options_from(const internal::AllocatorOptions& kept);

}  // namespace troupe
