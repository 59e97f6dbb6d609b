#include "protocol/attributes.hpp"

#include "protocol/quoting.hpp"
#include "protocol/text_scanner.hpp"
#include "protocol/utf8.hpp"
#include "protocol/value_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace troupe {
namespace {

// --- parse -----------------------------------------------------------------------------------------------------------

result<void> read_word_value(text_scanner* in, v1::Attribute* out) {
  auto word = in->read_word(";");
  if (!word) return word.error();
  if (word->text.empty() && !word->quoted)
    return in->fault("a value is missing; a number, [1-3], {a,b} or a text would be valid");
  const auto number = word->quoted ? std::nullopt : number_from(word->text);
  if (number) {
    out->set_type(v1::Value::SCALAR);
    out->mutable_scalar()->set_value(*number);
  } else {
    out->set_type(v1::Value::TEXT);
    out->mutable_text()->set_value(std::move(word->text));
  }
  return {};
}

result<void> read_value(text_scanner* in, v1::Attribute* out) {
  if (in->peek() == '[') {
    auto ranges = read_ranges(in);
    if (!ranges) return ranges.error();
    out->set_type(v1::Value::RANGES);
    *out->mutable_ranges() = std::move(*ranges);
    return {};
  }
  if (in->peek() == '{') {
    auto set = read_set(in);
    if (!set) return set.error();
    out->set_type(v1::Value::SET);
    *out->mutable_set() = std::move(*set);
    return {};
  }
  return read_word_value(in, out);
}

result<v1::Attribute> read_attribute(text_scanner* in) {
  v1::Attribute out;
  auto name = in->read_word(":;");
  if (!name) return name.error();
  if (name->text.empty()) return in->fault("the name is missing");
  out.set_name(std::move(name->text));
  if (auto ok = in->expect(':', "an attribute (name:value)"); !ok) return ok.error();
  if (auto ok = read_value(in, &out); !ok) return ok.error();
  if (!in->at_end() && in->peek() != ';') return in->fault("';' was expected between attributes");
  return out;
}

// --- check -----------------------------------------------------------------------------------------------------------

bool has_only_the_value_of_its_type(const v1::Attribute& a) {
  return a.has_scalar() == (a.type() == v1::Value::SCALAR) && a.has_ranges() == (a.type() == v1::Value::RANGES) &&
         a.has_set() == (a.type() == v1::Value::SET) && a.has_text() == (a.type() == v1::Value::TEXT);
}

result<void> validate(const v1::Attribute& a) {
  if (!a.IsInitialized()) return invalid("missing required fields: " + a.InitializationErrorString());
  if (!is_utf8(a)) return invalid("all strings must be UTF-8");
  if (a.name().empty()) return invalid("name must not be empty");
  if (!has_only_the_value_of_its_type(a))
    return invalid("exactly the value that type names must be set, and type is " + v1::Value::Type_Name(a.type()));
  if (a.has_scalar() && !std::isfinite(a.scalar().value())) return invalid("scalar.value must be finite");
  for (const auto& range : a.ranges().range())
    if (range.begin() > range.end())
      return invalid("range " + std::to_string(range.begin()) + "-" + std::to_string(range.end()) +
                     " must not end before it begins");
  return {};
}

// --- print -----------------------------------------------------------------------------------------------------------

std::string text_of_number(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return std::string(buffer.data(), end);
}

std::string text_of_value(const v1::Attribute& a) {
  switch (a.type()) {
    case v1::Value::SCALAR:
      return text_of_number(a.scalar().value());
    case v1::Value::RANGES:
      return text_of_ranges(a.ranges());
    case v1::Value::SET:
      return text_of_set(a.set());
    case v1::Value::TEXT:
      break;
  }
  const auto& text = a.text().value();
  return number_from(text) ? quoted(text, text.size()) : plain_or_quoted(text);
}

}  // namespace

result<attribute_list> parse_attributes(std::string_view text) {
  attribute_list list;
  text_scanner in(text);
  while (!in.at_end()) {
    if (in.accept(';')) continue;
    auto attribute = read_attribute(&in);
    if (!attribute)
      return invalid("entry " + std::to_string(list.size() + 1) + " of the attributes, " + attribute.error().message);
    *list.Add() = std::move(*attribute);
  }
  if (auto ok = validate_attributes(list); !ok) return ok.error();
  return list;
}

std::string text_of(const attribute_list& attributes) {
  std::string out;
  for (const auto& a : attributes)
    out += (out.empty() ? "" : "; ") + plain_or_quoted(a.name()) + ":" + text_of_value(a);
  return out;
}

result<void> validate_attributes(const attribute_list& attributes) {
  for (const auto& a : attributes)
    if (auto ok = validate(a); !ok) return invalid("attribute " + quoted(a.name()) + ": " + ok.error().message);
  return {};
}

}  // namespace troupe
