#pragma once

#include "protocol/error.hpp"

#include <google/protobuf/message.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

/// One JSON scalar into one field of a message: what the v1 API takes for what. A repeated field gets one element more.
/// Errors say what was expected and what came; the caller knows where.
namespace troupe {

using json_number = std::variant<std::int64_t, std::uint64_t, double>;

/// Nothing if `text` is no JSON number, or if it is one that not even a double can hold.
std::optional<json_number> parse_json_number(std::string_view text);

/// Integers narrow to the field's width by dropping high bits, fractions are cut off, as clients of the v1 API are used
/// to; refused is only what is outside all 64-bit integers, or outside a float.
result<void> store_number(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                          const json_number& number);

result<void> store_bool(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field, bool value);

/// Strings, bytes in base64, names of enum values, and numbers and booleans in quotes.
/// An unknown name of an enum value leaves the field as it is, unless the field is required.
result<void> store_text(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                        std::string_view text);

/// "expected an integer, got an object".
error wrong_type(const google::protobuf::FieldDescriptor& field, std::string_view got);

}  // namespace troupe
