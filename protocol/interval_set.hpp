#pragma once

#include <cstdint>
#include <vector>

namespace troupe {

/// All integers from `begin` to `end`, both included.
struct interval {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  friend bool operator==(const interval& a, const interval& b) { return a.begin == b.begin && a.end == b.end; }
};

/// A set of integers below 2^64 - 1, kept as sorted intervals that neither overlap nor touch. Every operation is linear
/// in the intervals.
class interval_set {
 public:
  interval_set() = default;
  /// In any order, overlapping or not; each with begin <= end.
  explicit interval_set(std::vector<interval> intervals);

  const std::vector<interval>& intervals() const { return intervals_; }
  bool empty() const { return intervals_.empty(); }
  /// How many integers are in the set.
  std::uint64_t count() const;

  bool contains(const interval_set& other) const;
  bool overlaps(const interval_set& other) const;
  interval_set unite(const interval_set& other) const;
  /// What is here and not there.
  interval_set subtract(const interval_set& other) const;
  interval_set intersect(const interval_set& other) const;

  /// Are the intervals sorted, non-empty and apart from each other?
  bool normal() const;

  friend bool operator==(const interval_set& a, const interval_set& b) { return a.intervals_ == b.intervals_; }
  friend bool operator!=(const interval_set& a, const interval_set& b) { return !(a == b); }

 private:
  std::vector<interval> intervals_;
};

}  // namespace troupe
