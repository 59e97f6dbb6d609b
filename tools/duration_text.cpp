#include "tools/duration_text.hpp"

#include <charconv>
#include <cmath>

namespace troupe {

namespace {

struct unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

constexpr std::int64_t second = 1'000'000'000;
constexpr unit units[] = {{"ns", 1},
                          {"us", 1'000},
                          {"ms", 1'000'000},
                          {"s", second},
                          {"sec", second},
                          {"secs", second},
                          {"m", 60 * second},
                          {"min", 60 * second},
                          {"mins", 60 * second},
                          {"h", 3600 * second},
                          {"hr", 3600 * second},
                          {"hrs", 3600 * second},
                          {"days", 86400 * second},
                          {"weeks", 7 * 86400 * second}};

error not_a_duration(std::string_view text) {
  return invalid("'" + std::string(text) +
                 "' is not a duration; write for instance 250ms, 15secs, 10mins, 1.5hrs or 2days");
}

}  // namespace

result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  double amount = 0;
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
  if (parsed.ec != std::errc() || !std::isfinite(amount) || amount < 0) return not_a_duration(text);
  auto name = text.substr(static_cast<std::size_t>(parsed.ptr - text.data()));
  for (const auto& unit : units) {
    if (unit.name != name) continue;
    auto total = amount * static_cast<double>(unit.nanoseconds);
    if (total > 9.2e18) return not_a_duration(text);
    return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(total)));
  }
  return not_a_duration(text);
}

std::string duration_text(std::chrono::nanoseconds duration) {
  auto count = duration.count();
  for (auto [name, size] :
       {unit{"h", 3600 * second}, unit{"m", 60 * second}, unit{"s", second}, unit{"ms", 1'000'000}, unit{"us", 1'000}})
    if (count != 0 && count % size == 0) return std::to_string(count / size) + std::string(name);
  return count == 0 ? "0s" : std::to_string(count) + "ns";
}

}  // namespace troupe
