#pragma once

#include "actors/allocator/claimant.hpp"
#include "actors/allocator/standings.hpp"

#include <functional>
#include <set>
#include <string_view>

namespace troupe {

/// Who is asked first for what an agent has free. A policy holds no state: what it goes by is in the standings, so that
/// it can be exchanged while the cluster runs. It says the order only; what may be offered to whom is not its business.
class allocation_policy {
 public:
  /// Offers what there is to the claimant. True: it took something, and the standings are out of date from here on.
  using asker = std::function<bool(const claimant&)>;

  virtual ~allocation_policy() = default;

  virtual std::string_view name() const = 0;

  /// Asks those who compete, in the policy's order, until one takes something; false if nobody did. With `only`, nobody
  /// else is asked, at a cost proportional to its size.
  virtual bool serve(const standings& ranks, const std::set<claimant>* only, const asker& ask) const = 0;
};

}  // namespace troupe
