#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace troupe {

constexpr std::size_t checksum_bytes = 4;

/// CRC-32C of the parts, one after the other: 4 bytes, little endian.
std::string checksum(std::initializer_list<std::string_view> parts);

}  // namespace troupe
