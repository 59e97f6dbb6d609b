#include "protocol/quoting.hpp"

#include "protocol/utf8.hpp"

#include <algorithm>

namespace troupe {
namespace {

bool needs_hex(std::string_view character) {
  const auto byte = static_cast<unsigned char>(character[0]);
  return byte < 0x20 || byte == 0x7f || utf8_length(character) == 0;
}

void append_hex(std::string* out, char c) {
  constexpr char digits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  *out += "\\x";
  *out += digits[byte >> 4];
  *out += digits[byte & 15];
}

/// Appends the character that `rest` starts with, and returns how many bytes it had.
std::size_t append_character(std::string* out, std::string_view rest) {
  if (needs_hex(rest)) {
    append_hex(out, rest[0]);
    return 1;
  }
  if (rest[0] == '"' || rest[0] == '\\') *out += '\\';
  const auto length = utf8_length(rest);
  *out += rest.substr(0, length);
  return length;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_./-*@").find(c) != std::string_view::npos;
}

}  // namespace

std::string quoted(std::string_view text, std::size_t length_max) {
  std::string out = "\"";
  std::size_t done = 0;
  while (done < std::min(text.size(), length_max)) done += append_character(&out, text.substr(done));
  if (done < text.size()) out += "…";
  return out += '"';
}

std::string plain_or_quoted(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  return quoted(text, text.size());
}

}  // namespace troupe
