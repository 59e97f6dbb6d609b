#include "actors/master/decision.hpp"

#include "protocol/quoting.hpp"

#include <utility>

namespace troupe {

namespace {
constexpr std::size_t value_length_max = 240;
}  // namespace

decision&& decision::with(std::string_view key, std::string_view value) && {
  line_.append(" ").append(key).append("=");
  if (value.size() > value_length_max)
    line_.append(quoted(value, value_length_max));
  else
    line_.append(plain_or_quoted(value));
  return std::move(*this);
}

decision&& decision::with(std::string_view key, std::uint64_t value) && {
  line_.append(" ").append(key).append("=").append(std::to_string(value));
  return std::move(*this);
}

}  // namespace troupe
