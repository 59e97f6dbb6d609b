#pragma once

#include "actors/runtime/step.hpp"

#include <cstdint>
#include <string>

namespace troupe {

namespace detail {

inline std::string uuid_text(std::string bytes) {
  static const char digits[] = "0123456789abcdef";
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    auto byte = static_cast<unsigned char>(bytes[i]);
    text += digits[byte >> 4];
    text += digits[byte & 0x0f];
  }
  return text;
}

}  // namespace detail

/// A random uuid as text (RFC 4122, version 4): 8-4-4-4-12 hex digits.
inline std::string uuid_text(random_stream& random) {
  return detail::uuid_text(random.bytes16());
}

/// 16 bytes that the name determines: the same name, the same bytes. Not for names that an enemy chooses (FNV-1a).
inline std::string named_bytes16(const std::string& name) {
  std::uint64_t hash = 14695981039346656037u;
  for (unsigned char c : name) hash = (hash ^ c) * 1099511628211u;
  return random_stream(hash).bytes16();
}

/// A uuid as text that the name determines.
inline std::string named_uuid(const std::string& name) {
  return detail::uuid_text(named_bytes16(name));
}

}  // namespace troupe
