#pragma once

#include "protocol/ids.hpp"

#include <string>
#include <tuple>

namespace troupe {

/// A framework under one of its roles: what asks for resources, holds them and refuses them.
struct claimant {
  std::string role;
  framework_id framework;

  friend bool operator==(const claimant& a, const claimant& b) {
    return a.role == b.role && a.framework == b.framework;
  }
  friend bool operator!=(const claimant& a, const claimant& b) { return !(a == b); }
  friend bool operator<(const claimant& a, const claimant& b) {
    return std::tie(a.role, a.framework) < std::tie(b.role, b.framework);
  }
};

}  // namespace troupe
