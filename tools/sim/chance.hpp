#pragma once

#include "actors/runtime/step.hpp"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

namespace troupe::sim {

/// One stream of chance. Each part of a world draws from a stream of its own, so that what one part leaves out does not
/// change the luck of another.
class chance {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  explicit chance(std::uint64_t seed) : seed_(seed), stream_(seed) {}

  /// A stream that depends on this one's seed and on the name alone, not on what has been drawn (FNV-1a).
  chance part(std::string_view name) const {
    std::uint64_t hash = 14695981039346656037u ^ seed_;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return chance(random_stream(hash).next());
  }

  std::uint64_t next() { return stream_.next(); }
  std::uint64_t below(std::uint64_t bound) { return stream_.below(bound); }
  /// Both ends included.
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
  }
  /// In [0, 1).
  double portion() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  bool happens(double probability) { return portion() < probability; }

  nanoseconds between(nanoseconds least, nanoseconds most) { return nanoseconds(between(least.count(), most.count())); }
  /// Exponential, as the pause between independent events is.
  nanoseconds around(nanoseconds mean) {
    return nanoseconds(static_cast<std::int64_t>(-std::log(1 - portion()) * static_cast<double>(mean.count())));
  }
  /// Mostly near `usual`, now and then very much more, up to `most`: Pareto of shape 1.2.
  nanoseconds heavy_tailed(nanoseconds usual, nanoseconds most) {
    const double drawn = static_cast<double>(usual.count()) * std::pow(1 - portion(), -1 / 1.2);
    return drawn < static_cast<double>(most.count()) ? nanoseconds(static_cast<std::int64_t>(drawn)) : most;
  }

  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(all.size())];
  }

 private:
  std::uint64_t seed_;
  random_stream stream_;
};

}  // namespace troupe::sim
