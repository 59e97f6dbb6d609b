#include "protocol/json_fields.hpp"

#include "protocol/base64.hpp"
#include "protocol/quoting.hpp"

#include <google/protobuf/descriptor.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

namespace troupe {

namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

template <class T>
using setter = void (Reflection::*)(Message*, const FieldDescriptor*, T) const;

/// Sets a singular field, or adds to a repeated one.
template <class T, class V>
void put(Message& message, const FieldDescriptor& field, V&& value, setter<T> set, setter<T> add) {
  (message.GetReflection()->*(field.is_repeated() ? add : set))(&message, &field, std::forward<V>(value));
}

std::string_view what_is_expected(const FieldDescriptor& field) {
  if (field.is_map()) return "an object";
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return "an integer";
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "a number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return "a string that names a value of the enum";
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? "a string in base64" : "a string";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "an object";
  }
  return "nothing";
}

std::string names_of(const EnumDescriptor& type) {
  std::string names;
  for (int i = 0; i < type.value_count(); ++i) names += (i > 0 ? ", " : "") + type.value(i)->name();
  return names;
}

std::size_t count_digits(std::string_view text, std::size_t from) {
  std::size_t i = from;
  while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
  return i - from;
}

/// How a JSON number is written: std::from_chars takes more than that.
bool has_number_form(std::string_view text) {
  std::size_t i = !text.empty() && text[0] == '-' ? 1 : 0;
  const auto whole = count_digits(text, i);
  if (whole == 0 || (whole > 1 && text[i] == '0')) return false;
  i += whole;
  if (i < text.size() && text[i] == '.') {
    const auto fraction = count_digits(text, i + 1);
    if (fraction == 0) return false;
    i += 1 + fraction;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    const auto exponent = count_digits(text, i);
    if (exponent == 0) return false;
    i += exponent;
  }
  return i == text.size();
}

template <class T>
std::optional<T> convert(std::string_view text) {
  T value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

constexpr double two_to_63 = 9223372036854775808.0;
constexpr double two_to_64 = 18446744073709551616.0;

template <class Integer>
std::optional<Integer> to_integer(const json_number& number) {
  if (const auto* value = std::get_if<std::int64_t>(&number)) return static_cast<Integer>(*value);
  if (const auto* value = std::get_if<std::uint64_t>(&number)) return static_cast<Integer>(*value);
  const auto value = std::get<double>(number);
  if (value >= -two_to_63 && value < two_to_63) return static_cast<Integer>(static_cast<std::int64_t>(value));
  if (value >= 0 && value < two_to_64) return static_cast<Integer>(static_cast<std::uint64_t>(value));
  return std::nullopt;
}

double to_double(const json_number& number) {
  return std::visit([](auto value) { return static_cast<double>(value); }, number);
}

template <class Integer>
result<void> store_integer(Message& message, const FieldDescriptor& field, const json_number& number,
                           setter<Integer> set, setter<Integer> add) {
  const auto value = to_integer<Integer>(number);
  if (!value) return invalid("expected an integer, got a number that does not fit 64 bits");
  put<Integer>(message, field, *value, set, add);
  return {};
}

result<void> store_floating(Message& message, const FieldDescriptor& field, double value) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    put<double>(message, field, value, &Reflection::SetDouble, &Reflection::AddDouble);
    return {};
  }
  if (std::isfinite(value) && std::abs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
    return invalid("expected a number of single precision, got one that is too large");
  }
  put<float>(message, field, static_cast<float>(value), &Reflection::SetFloat, &Reflection::AddFloat);
  return {};
}

result<void> store_enum(Message& message, const FieldDescriptor& field, std::string_view name) {
  const auto* value = field.enum_type()->FindValueByName(std::string(name));
  if (value) {
    put<const EnumValueDescriptor*>(message, field, value, &Reflection::SetEnum, &Reflection::AddEnum);
  } else if (field.is_required()) {
    return invalid("expected one of " + names_of(*field.enum_type()) + ", got " + quoted(name));
  }
  return {};
}

void store_string(Message& message, const FieldDescriptor& field, std::string value) {
  put<std::string>(message, field, std::move(value), &Reflection::SetString, &Reflection::AddString);
}

result<void> store_quoted_number(Message& message, const FieldDescriptor& field, std::string_view text) {
  const bool floating =
      field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE || field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT;
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  if (floating && text == "Infinity") return store_floating(message, field, infinity);
  if (floating && text == "-Infinity") return store_floating(message, field, -infinity);
  if (const auto number = parse_json_number(text)) return store_number(message, field, *number);
  return wrong_type(field, "the string " + quoted(text));
}

}  // namespace

std::optional<json_number> parse_json_number(std::string_view text) {
  if (!has_number_form(text)) return std::nullopt;
  if (text.find_first_of(".eE") == std::string_view::npos) {
    if (const auto value = convert<std::int64_t>(text)) return *value;
    if (const auto value = convert<std::uint64_t>(text)) return *value;
  }
  if (const auto value = convert<double>(text)) return *value;
  return std::nullopt;
}

result<void> store_number(Message& message, const FieldDescriptor& field, const json_number& number) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return store_integer<std::int32_t>(message, field, number, &Reflection::SetInt32, &Reflection::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return store_integer<std::int64_t>(message, field, number, &Reflection::SetInt64, &Reflection::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return store_integer<std::uint32_t>(message, field, number, &Reflection::SetUInt32, &Reflection::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return store_integer<std::uint64_t>(message, field, number, &Reflection::SetUInt64, &Reflection::AddUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return store_floating(message, field, to_double(number));
    case FieldDescriptor::CPPTYPE_BOOL:
    case FieldDescriptor::CPPTYPE_ENUM:
    case FieldDescriptor::CPPTYPE_STRING:
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return wrong_type(field, "a number");
  }
  return wrong_type(field, "a number");
}

result<void> store_bool(Message& message, const FieldDescriptor& field, bool value) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_BOOL) return wrong_type(field, value ? "true" : "false");
  put<bool>(message, field, value, &Reflection::SetBool, &Reflection::AddBool);
  return {};
}

result<void> store_text(Message& message, const FieldDescriptor& field, std::string_view text) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return store_quoted_number(message, field, text);
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") return wrong_type(field, "the string " + quoted(text));
      return store_bool(message, field, text == "true");
    case FieldDescriptor::CPPTYPE_ENUM:
      return store_enum(message, field, text);
    case FieldDescriptor::CPPTYPE_STRING: {
      if (field.type() != FieldDescriptor::TYPE_BYTES) {
        store_string(message, field, std::string(text));
        return {};
      }
      auto bytes = decode_base64(text);
      if (!bytes) return wrong_type(field, "the string " + quoted(text));
      store_string(message, field, std::move(*bytes));
      return {};
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return wrong_type(field, "a string");
  }
  return wrong_type(field, "a string");
}

error wrong_type(const FieldDescriptor& field, std::string_view got) {
  return invalid("expected " + std::string(what_is_expected(field)) + ", got " + std::string(got));
}

}  // namespace troupe
