#include "tools/emulator/delay_histogram.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {

namespace {

/// Of a number of at least 16: how far it is shifted to lie in [16, 32).
unsigned shift_of(std::uint64_t ns) {
  unsigned shift = 0;
  while ((ns >> shift) >= 32) ++shift;
  return shift;
}

}  // namespace

/// 0 to 15 each have one of their own; from there on sixteen for each doubling.
std::size_t delay_histogram::class_of(std::uint64_t ns) {
  if (ns < parts) return ns;
  const auto shift = shift_of(ns);
  return std::size_t{shift} * parts + (ns >> shift);
}

/// The largest number of a class.
std::uint64_t delay_histogram::bound_of(std::size_t index) {
  if (index < parts) return index;
  const auto shift = index / parts - 1;
  const std::uint64_t leading = index % parts + parts;
  return ((leading + 1) << shift) - 1;
}

void delay_histogram::add(std::chrono::nanoseconds delay) {
  const auto ns = std::max<std::int64_t>(delay.count(), 0);
  ++counts_[class_of(static_cast<std::uint64_t>(ns))];
  ++count_;
  sum_ns_ += static_cast<double>(ns);
  most_ = std::max(most_, std::chrono::nanoseconds(ns));
}

std::chrono::nanoseconds delay_histogram::mean() const {
  if (count_ == 0) return std::chrono::nanoseconds(0);
  return std::chrono::nanoseconds(std::llround(sum_ns_ / static_cast<double>(count_)));
}

std::chrono::nanoseconds delay_histogram::rank(double portion) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(portion * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted && seen > 0)
      return std::min(most_, std::chrono::nanoseconds(static_cast<std::int64_t>(bound_of(i))));
  }
  return most_;
}

}  // namespace troupe
