#pragma once

#include "tools/sim/cluster.hpp"

#include <cstdint>
#include <deque>

namespace troupe::sim {

/// A link between two processes, each of which may think for a while that it stands when the other knows better.
struct connection {
  struct end {
    process* of = nullptr;
    std::uint64_t life = 0;
    std::uint64_t hang_ups = 0;
    bool up = false;
  };
  struct way {
    timeline::duration arrives{0};         ///< nothing said from now on arrives before
    std::deque<timeline::action> stalled;  ///< arrivals, on a path that is cut
    std::deque<mail> under_way;            ///< said and not arrived
  };
  end near;  ///< who dialled
  end far;
  way upwards;  ///< from near to far
  way downwards;
};

}  // namespace troupe::sim
