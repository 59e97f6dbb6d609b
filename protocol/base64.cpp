#include "protocol/base64.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace troupe {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 64;

std::array<std::uint8_t, 256> make_digits() {
  std::array<std::uint8_t, 256> digits;
  digits.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    digits[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}

std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
}

/// Without its padding; nothing if there is padding and it does not fill the last group of four.
std::optional<std::string_view> strip_padding(std::string_view text) {
  auto bare = text.substr(0, text.find('='));
  auto padding = text.size() - bare.size();
  if (padding > 0 &&
      (padding > 2 || text.size() % 4 != 0 || text.substr(bare.size()) != std::string_view("==", padding)))
    return std::nullopt;
  return bare;
}

}  // namespace

void append_base64(std::string_view bytes, std::string& out) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    out += alphabet[group >> 18];
    out += alphabet[group >> 12 & 63];
    out += i + 1 < bytes.size() ? alphabet[group >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? alphabet[group & 63] : '=';
  }
}

std::optional<std::string> decode_base64(std::string_view text) {
  static const auto digits = make_digits();
  auto bare = strip_padding(text);
  if (!bare || bare->size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(bare->size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int held = 0;
  for (char c : *bare) {
    auto digit = digits[static_cast<unsigned char>(c)];
    if (digit == no_digit) return std::nullopt;
    bits = bits << 6 | digit;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>(bits >> held & 255);
    }
  }
  return bytes;
}

}  // namespace troupe
