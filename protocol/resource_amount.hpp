#pragma once

#include "protocol/interval_set.hpp"
#include "troupe/v1/troupe.pb.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// An amount of a scalar in thousandths: 1.5 cpus is 1500. Negative amounts never leave a computation.
using milli = std::int64_t;

/// The largest amount of one name that is taken from outside (1e12 units, in thousandths), and the largest integer in a
/// range. Below it a double carries every thousandth exactly, and more than nine thousand of them add up without
/// overflow.
constexpr milli largest_amount = 1'000'000'000'000'000;
constexpr std::uint64_t largest_in_range = 1'000'000'000'000;

/// a + b; throws std::overflow_error where that is no milli.
milli checked_sum(milli a, milli b);

/// How much of one resource: thousandths of a scalar, a set of integers, or a set of strings. Exact.
class resource_amount {
 public:
  using items = std::vector<std::string>;  // sorted, each once

  resource_amount() = default;
  explicit resource_amount(milli thousandths) : value_(thousandths) {}
  explicit resource_amount(interval_set ranges) : value_(std::move(ranges)) {}
  /// Each string once, in any order.
  explicit resource_amount(items set);

  v1::Value::Type type() const { return static_cast<v1::Value::Type>(value_.index()); }
  /// Of the type asked for; anything else is a bug of the caller.
  milli thousandths() const { return std::get<milli>(value_); }
  const interval_set& ranges() const { return std::get<interval_set>(value_); }
  const items& set() const { return std::get<items>(value_); }

  bool empty() const;
  /// Thousandths, or the count of values × 1000.
  milli quantity() const;

  // Both sides of the following are of the same type.
  bool contains(const resource_amount& other) const;
  /// Have ranges or sets a value in common? Never so for scalars.
  bool overlaps(const resource_amount& other) const;
  /// Sum of scalars (std::overflow_error), union of the others.
  void add(const resource_amount& other);
  /// Requires contains(other).
  void subtract(const resource_amount& other);
  resource_amount intersect(const resource_amount& other) const;

  /// Positive or not empty, sorted and coalesced.
  bool normal() const;

  friend bool operator==(const resource_amount& a, const resource_amount& b) { return a.value_ == b.value_; }

 private:
  // In the order of v1::Value::Type: SCALAR, RANGES, SET.
  std::variant<milli, interval_set, items> value_ = milli{0};
};

}  // namespace troupe
