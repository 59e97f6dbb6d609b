#pragma once

#include "protocol/error.hpp"
#include "troupe/v1/troupe.pb.h"

#include <cstdint>
#include <vector>

namespace troupe {

/// Numbers as in setrlimit(2); the largest value means unlimited.
struct resource_limit {
  int resource = 0;
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

/// RLimitInfo as numbers for setrlimit(2). A limit without soft and hard is unlimited; one with only one of them, a
/// soft one above its hard one, an unknown type or a type given twice is refused.
result<std::vector<resource_limit>> plan_resource_limits(const v1::RLimitInfo& info);

}  // namespace troupe
