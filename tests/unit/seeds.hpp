#pragma once

#include <cstdint>
#include <cstdlib>

namespace troupe::test {

/// How many seeds a random test tries: so many in the quick tier, TROUPE_SEEDS times as many in the full one.
inline std::uint64_t seeds(std::uint64_t quick) {
  const char* times = std::getenv("TROUPE_SEEDS");
  const auto factor = times ? std::strtoull(times, nullptr, 10) : 1;
  return quick * (factor > 0 ? factor : 1);
}

}  // namespace troupe::test
