#pragma once

#include "actors/allocator/allocation_policy.hpp"

namespace troupe {

/// Weighted dominant-resource fairness (Ghodsi et al., NSDI 2011): the role with the smallest weighted dominant share
/// first, and in it the framework with the smallest share. It assumes that everybody will use whatever is offered:
/// nobody is asked for a demand.
class fair_policy : public allocation_policy {
 public:
  std::string_view name() const override { return "fair"; }
  bool serve(const standings& ranks, const std::set<claimant>* only, const asker& ask) const override;
};

}  // namespace troupe
