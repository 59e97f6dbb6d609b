#include "actors/elector/member_name.hpp"

#include <cstddef>

namespace troupe {

namespace {

constexpr std::size_t session_digits = 16;
constexpr std::size_t sequence_digits = 10;
constexpr std::string_view hex = "0123456789abcdef";

}  // namespace

std::string member_prefix(std::uint64_t session_id) {
  std::string digits(session_digits, '0');
  for (auto at = digits.rbegin(); at != digits.rend(); ++at, session_id >>= 4) *at = hex[session_id & 0xf];
  return digits + "-";
}

bool is_member_of(std::string_view name, std::uint64_t session_id) {
  return member_sequence(name) && name.substr(0, session_digits + 1) == member_prefix(session_id);
}

std::optional<std::uint64_t> member_sequence(std::string_view name) {
  if (name.size() != session_digits + 1 + sequence_digits || name[session_digits] != '-') return std::nullopt;
  const auto session = name.substr(0, session_digits);
  if (session.find_first_not_of(hex) != std::string_view::npos) return std::nullopt;
  std::uint64_t sequence = 0;
  for (const char c : name.substr(session_digits + 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    sequence = sequence * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return sequence;
}

}  // namespace troupe
