#pragma once

#include "protocol/address.hpp"
#include "protocol/ids.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// One line of the log: `offer.rescinded offer=o-17 agent=a-3 reason=agent_lost`. Values from outside are quoted and
/// cut, so that they can forge neither a field nor a line.
class decision {
 public:
  explicit decision(std::string_view event) : line_(event) {}

  decision&& with(std::string_view key, std::string_view value) &&;
  decision&& with(std::string_view key, const char* value) && {
    return std::move(*this).with(key, std::string_view(value));
  }
  decision&& with(std::string_view key, std::uint64_t value) &&;
  decision&& with(std::string_view key, const Address& value) && {
    return std::move(*this).with(key, to_string(value));
  }
  template <class Proto>
  decision&& with(std::string_view key, const strong_id<Proto>& id) && {
    return std::move(*this).with(key, id.value());
  }

  operator std::string() && { return std::move(line_); }  // NOLINT(google-explicit-constructor): it is a line

 private:
  std::string line_;
};

}  // namespace troupe
