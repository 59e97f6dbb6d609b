#pragma once

#include "protocol/error.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace troupe {

/// `15secs`, `250ms`, `1.5hrs`; units ns, us, ms, s, sec, secs, m, min, mins, h, hr, hrs, days, weeks. Errors name what
/// would be valid.
result<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// `15s`, `250ms`: the largest unit that divides it.
std::string duration_text(std::chrono::nanoseconds duration);

}  // namespace troupe
