#include "protocol/quoting.hpp"

#include <algorithm>

namespace troupe {
namespace {

void append_escaped(std::string* out, char c) {
  constexpr char digits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    *out += '\\';
    *out += c;
  } else if (byte < 0x20 || byte == 0x7f) {
    *out += "\\x";
    *out += digits[byte >> 4];
    *out += digits[byte & 15];
  } else {
    *out += c;
  }
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_./-*@").find(c) != std::string_view::npos;
}

}  // namespace

std::string quoted(std::string_view text, std::size_t length_max) {
  std::string out = "\"";
  for (const char c : text.substr(0, length_max)) append_escaped(&out, c);
  if (text.size() > length_max) out += "…";
  return out += '"';
}

std::string plain_or_quoted(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  return quoted(text, text.size());
}

}  // namespace troupe
