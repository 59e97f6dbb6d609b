#pragma once

#include "actors/runtime/step.hpp"
#include "troupe/v1/troupe.pb.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

/// Moments and durations as cores keep them: native inside, integers with a unit in what is said and stored.
namespace troupe {

using moment = std::optional<monotonic_time>;  ///< absent means never

inline std::int64_t nanoseconds_of(monotonic_time t) {
  return t.time_since_epoch().count();
}
inline monotonic_time monotonic_at(std::int64_t ns) {
  return monotonic_time(std::chrono::nanoseconds(ns));
}

inline double seconds_of(wall_time t) {
  return static_cast<double>(t.time_since_epoch().count()) / 1e9;
}

inline v1::TimeInfo time_info(wall_time t) {
  v1::TimeInfo info;
  info.set_nanoseconds(t.time_since_epoch().count());
  return info;
}

/// The longest duration that is taken from outside, so that sums of deadlines cannot overflow.
constexpr std::chrono::nanoseconds duration_max = std::chrono::hours(24 * 365);

/// A duration from outside, forced into [0, duration_max].
inline std::chrono::nanoseconds bounded(const v1::DurationInfo& duration) {
  return std::clamp(std::chrono::nanoseconds(duration.nanoseconds()), std::chrono::nanoseconds(0), duration_max);
}

inline v1::DurationInfo duration_info(std::chrono::nanoseconds duration) {
  v1::DurationInfo info;
  info.set_nanoseconds(duration.count());
  return info;
}

/// The earlier of two moments.
inline moment earliest(moment a, moment b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

inline bool is_due(const moment& deadline, monotonic_time now) {
  return deadline && *deadline <= now;
}

}  // namespace troupe
