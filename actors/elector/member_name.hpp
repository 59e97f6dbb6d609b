#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// How a member's znode is named, before the service adds its ten digits: by the session that made it, which finds it
/// again by that when the answer was lost.
///
///     00000000000000c4-0000000017
std::string member_prefix(std::uint64_t session_id);

/// Whether the session made it.
bool is_member_of(std::string_view name, std::uint64_t session_id);

/// Which it is in the order of candidates; nothing where this is no member's name.
std::optional<std::uint64_t> member_sequence(std::string_view name);

}  // namespace troupe
