#pragma once

#include "actors/runtime/step.hpp"

#include <string>

namespace troupe {

/// A random uuid as text (RFC 4122, version 4): 8-4-4-4-12 hex digits.
inline std::string uuid_text(random_stream& random) {
  static const char digits[] = "0123456789abcdef";
  std::string bytes = random.bytes16();
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

}  // namespace troupe
