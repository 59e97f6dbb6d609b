#pragma once

#include "actors/runtime/step.hpp"

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

namespace troupe {

/// The one place of a process where shells read the time. Monotonic time is the actor system's own clock, so that
/// timers and contexts agree, and the deterministic scheduler of tests moves both.
inline monotonic_time monotonic_now(caf::actor_system& system) {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(system.clock().now());
}

inline wall_time wall_now() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

inline std::int64_t to_ns(monotonic_time t) {
  return t.time_since_epoch().count();
}
inline std::int64_t to_ns(wall_time t) {
  return t.time_since_epoch().count();
}

}  // namespace troupe
