#pragma once

#include "protocol/error.hpp"
#include "protocol/resources.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// The least that is worth an offer: alternatives, of which any one suffices. Without alternatives anything is.
class min_allocatable {
 public:
  min_allocatable() = default;
  explicit min_allocatable(const v1::OfferFilters::MinAllocatableResources& message);
  explicit min_allocatable(std::vector<quantities> alternatives) : alternatives_(std::move(alternatives)) {}

  /// `cpus:0.01|mem:32`; alternatives of several resources are written `cpus:1;mem:64`. Empty: anything suffices.
  static result<min_allocatable> parse(std::string_view text);
  /// What a cluster starts with: 0.01 cpus, or 32 MB of memory.
  static min_allocatable standard();

  bool reached_by(const quantities& amounts) const;
  const std::vector<quantities>& alternatives() const { return alternatives_; }

 private:
  std::vector<quantities> alternatives_;
};

}  // namespace troupe
