#include "tools/emulator/task_length.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

namespace troupe {

namespace {

constexpr double seconds_max = 1e9;

std::optional<std::chrono::nanoseconds> seconds(std::string_view text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = code == std::errc() && end == text.data() + text.size();
  if (!whole || !(value >= 0) || value > seconds_max) return std::nullopt;
  return std::chrono::nanoseconds(std::llround(value * 1e9));
}

}  // namespace

result<task_length> parse_task_length(std::string_view text) {
  const auto colon = text.find(':');
  const auto mean = seconds(text.substr(0, colon));
  const auto deviation =
      colon == std::string_view::npos ? std::chrono::nanoseconds(0) : seconds(text.substr(colon + 1));
  if (!mean || !deviation)
    return invalid("'" + std::string(text) +
                   "': write MEAN or MEAN:DEVIATION in seconds, for instance 0, 0.5 or 30:10");
  return task_length{*mean, *deviation};
}

double task_lengths::uniform() {
  return (static_cast<double>(random_.next() >> 11) + 1) / 9007199254740992.0;  // 2^53
}

/// Box and Muller's way from two uniform numbers to a normal one.
std::chrono::nanoseconds task_lengths::next() {
  if (chosen_.deviation.count() == 0) return chosen_.mean;
  constexpr double two_pi = 6.283185307179586;
  const double radius = std::sqrt(-2 * std::log(uniform()));
  const double normal = radius * std::cos(two_pi * uniform());
  const double length =
      static_cast<double>(chosen_.mean.count()) + normal * static_cast<double>(chosen_.deviation.count());
  return std::chrono::nanoseconds(std::llround(std::max(length, 0.0)));
}

}  // namespace troupe
