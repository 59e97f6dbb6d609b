#pragma once

#include "actors/allocator/tally.hpp"
#include "protocol/error.hpp"

#include <cstdint>
#include <string>

namespace troupe {

/// How much more than others a role may have: a positive number, exact to a millionth.
struct weight {
  std::int64_t millionths = 1'000'000;

  /// Errors: not a number, not positive, or outside 0.000001 … 1000000.
  static result<weight> from(double value);

  friend bool operator==(weight a, weight b) { return a.millionths == b.millionths; }
  friend bool operator!=(weight a, weight b) { return !(a == b); }
};

/// A fraction of the cluster: the largest of charged ÷ total over all resources, divided by a weight. Exact: two shares
/// compare as fractions, never as floating point.
class dominant_share {
 public:
  /// Nothing at all.
  dominant_share() = default;

  /// Names without a total count for nothing. Of equal fractions the first name is the dominant one.
  static dominant_share of(const tally& charged, const tally& total, weight divisor = {});

  /// The dominant resource; empty if nothing is charged.
  const std::string& resource() const { return resource_; }
  /// The fraction before the division by the weight, rounded down, for people; capped to what fits.
  std::int64_t millionths() const;

  friend bool operator<(const dominant_share& a, const dominant_share& b) { return a.compare(b) < 0; }
  friend bool operator==(const dominant_share& a, const dominant_share& b) { return a.compare(b) == 0; }
  friend bool operator!=(const dominant_share& a, const dominant_share& b) { return !(a == b); }

 private:
  /// Negative, zero or positive as this share is smaller, equal or larger.
  int compare(const dominant_share& other) const;

  std::string resource_;
  wide charged_ = 0;
  wide total_ = 1;
  wide weight_millionths_ = 1'000'000;
};

/// The sign of a/b − c/d, for a, c ≥ 0 and b, d > 0. Exact, and overflows for no input.
int compare_fractions(wide a, wide b, wide c, wide d);

}  // namespace troupe
