#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe {

/// Durations, counted in classes that are a sixteenth wide: what their mean was exactly, and their ranks within that.
class delay_histogram {
 public:
  /// Less than nothing counts as nothing.
  void add(std::chrono::nanoseconds delay);

  std::uint64_t count() const { return count_; }
  /// All these are 0 of none.
  std::chrono::nanoseconds mean() const;
  std::chrono::nanoseconds most() const { return most_; }
  /// The least bound that this portion of them does not exceed, `rank(0.99)` say; never above `most`.
  std::chrono::nanoseconds rank(double portion) const;

 private:
  static constexpr unsigned parts = 16;
  static std::size_t class_of(std::uint64_t ns);
  static std::uint64_t bound_of(std::size_t index);

  std::array<std::uint64_t, std::size_t{61} * parts> counts_{};
  std::uint64_t count_ = 0;
  double sum_ns_ = 0;
  std::chrono::nanoseconds most_{0};
};

}  // namespace troupe
