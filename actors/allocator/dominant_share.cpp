#include "actors/allocator/dominant_share.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace troupe {
namespace {

constexpr double weight_max = 1e6;
constexpr double millionths_in_one = 1e6;

int sign(bool greater, bool less) {
  return greater ? 1 : less ? -1 : 0;
}

}  // namespace

result<weight> weight::from(double value) {
  // Also false for NaN.
  const bool in_range = value >= 1 / millionths_in_one && value <= weight_max;
  if (!in_range) return invalid("weight: must be a number between 0.000001 and 1000000");
  return weight{static_cast<std::int64_t>(std::llround(value * millionths_in_one))};
}

int compare_fractions(wide a, wide b, wide c, wide d) {
  wide left = 0;
  wide right = 0;
  if (!__builtin_mul_overflow(a, d, &left) && !__builtin_mul_overflow(c, b, &right)) {
    return sign(left > right, left < right);
  }
  // Too large to multiply: compare whole parts, then the rests turned upside down, as in Euclid's algorithm.
  for (int direction = 1;; direction = -direction) {
    const wide whole_left = a / b;
    const wide whole_right = c / d;
    if (whole_left != whole_right) return direction * sign(whole_left > whole_right, whole_left < whole_right);
    a %= b;
    c %= d;
    if (a == 0 || c == 0) return direction * sign(a > c, a < c);
    std::swap(a, b);
    std::swap(c, d);
  }
}

dominant_share dominant_share::of(const tally& charged, const tally& total, weight divisor) {
  dominant_share largest;
  largest.weight_millionths_ = divisor.millionths;
  for (const auto& [name, amount] : charged.sums()) {
    const auto whole = total.sums().find(name);
    if (whole == total.sums().end()) continue;
    if (compare_fractions(amount, whole->second, largest.charged_, largest.total_) <= 0) continue;
    largest.resource_ = name;
    largest.charged_ = amount;
    largest.total_ = whole->second;
  }
  return largest;
}

std::int64_t dominant_share::millionths() const {
  // Whole parts first, so that nothing overflows.
  const wide million = 1'000'000;
  const wide parts = charged_ / total_ * million + charged_ % total_ * million / total_;
  return static_cast<std::int64_t>(std::min<wide>(parts, std::numeric_limits<std::int64_t>::max()));
}

int dominant_share::compare(const dominant_share& other) const {
  return compare_fractions(charged_, total_ * weight_millionths_, other.charged_,
                           other.total_ * other.weight_millionths_);
}

}  // namespace troupe
