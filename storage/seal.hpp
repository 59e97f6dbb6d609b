#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What the journal writes behind each record, so that a record found under another key is noticed: a checksum of the
/// key and of the record's opening bytes, which hold the checksum of the rest. Rebuilding a damaged LevelDB reads keys
/// unchecked.
namespace troupe {

std::string seal(std::string_view key, std::string_view record);

/// The record without its seal; nothing where it was not sealed under this key.
std::optional<std::string_view> unseal(std::string_view key, std::string_view sealed);

}  // namespace troupe
