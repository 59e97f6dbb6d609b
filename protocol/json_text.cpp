#include "protocol/json_text.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>

namespace troupe {

namespace {

unsigned char byte_at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}

bool continues(std::string_view text, std::size_t i) {
  return (byte_at(text, i) & 0xC0) == 0x80;
}

/// How many bytes the well-formed UTF-8 sequence at `i` has: 2 to 4; 0 if there is none. The second byte's range
/// excludes overlong forms, surrogates and what lies above U+10FFFF.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const auto first = byte_at(text, i);
  const auto second = byte_at(text, i + 1);
  if (first >= 0xC2 && first <= 0xDF) return continues(text, i + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const auto lowest = first == 0xE0 ? 0xA0 : 0x80;
    const auto highest = first == 0xED ? 0x9F : 0xBF;
    return second >= lowest && second <= highest && continues(text, i + 2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const auto lowest = first == 0xF0 ? 0x90 : 0x80;
    const auto highest = first == 0xF4 ? 0x8F : 0xBF;
    return second >= lowest && second <= highest && continues(text, i + 2) && continues(text, i + 3) ? 4 : 0;
  }
  return 0;
}

void append_escaped(unsigned char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u00";
  out += digits[c >> 4];
  out += digits[c & 15];
}

/// The shortest digits, without an exponent where people expect none.
template <class Float>
std::string_view digits_of(Float number, char* begin, char* end) {
  const auto size = std::abs(number);
  const bool plain = number == 0 || (size >= Float(1e-5) && size < Float(1e17));
  const auto form = plain ? std::chars_format::fixed : std::chars_format::scientific;
  return {begin, static_cast<std::size_t>(std::to_chars(begin, end, number, form).ptr - begin)};
}

template <class Float>
void append_floating(Float number, std::string& out) {
  if (std::isnan(number)) {
    out += "NaN";
  } else if (std::isinf(number)) {
    out += number < 0 ? "-Infinity" : "Infinity";
  } else {
    char buffer[64];
    const auto digits = digits_of(number, buffer, buffer + sizeof buffer);
    const auto mantissa = digits.substr(0, digits.find('e'));
    out += mantissa;
    if (mantissa.find('.') == std::string_view::npos) out += ".0";
    out += digits.substr(mantissa.size());
  }
}

template <class Integer>
void append_integer(Integer number, std::string& out) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
}

/// Puts a comma before all but the first.
void separate(bool& empty, std::string& out) {
  if (!empty) out += ',';
  empty = false;
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  std::size_t i = 0;
  while (i < text.size()) {
    const auto c = byte_at(text, i);
    if (c < 0x20 || c == '"' || c == '\\') {
      append_escaped(c, out);
      ++i;
    } else if (c < 0x80) {
      out += static_cast<char>(c);
      ++i;
    } else if (const auto length = sequence_length(text, i); length > 0) {
      out.append(text, i, length);
      i += length;
    } else {
      out += "\xEF\xBF\xBD";
      ++i;
    }
  }
  out += '"';
}

void append_json_double(double number, std::string& out) {
  append_floating(number, out);
}
void append_json_float(float number, std::string& out) {
  append_floating(number, out);
}
void append_json_integer(std::int64_t number, std::string& out) {
  append_integer(number, out);
}
void append_json_integer(std::uint64_t number, std::string& out) {
  append_integer(number, out);
}

std::string& json_object_writer::key(std::string_view name) {
  separate(empty_, out_);
  append_json_string(name, out_);
  out_ += ':';
  return out_;
}

std::string& json_array_writer::element() {
  separate(empty_, out_);
  return out_;
}

}  // namespace troupe
