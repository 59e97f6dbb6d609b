#include "protocol/json_text.hpp"

#include "protocol/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace troupe {

namespace {

/// How many characters at the beginning stand for themselves and are ASCII; most texts are nothing else.
std::size_t count_plain(std::string_view text) {
  const auto special = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte >= 0x80 || c == '"' || c == '\\';
  };
  return static_cast<std::size_t>(std::find_if(text.begin(), text.end(), special) - text.begin());
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
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text[0]);
    const auto plain = count_plain(text);
    const auto length = plain > 0 ? plain : utf8_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (plain == 0 && length == 1) {
      append_escaped(c, out);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length > 0 ? length : 1);
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
