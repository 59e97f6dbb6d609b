#include "tests/unit/protocol/random_message.hpp"

#include <google/protobuf/descriptor.h>

#include <cstring>
#include <limits>
#include <string>

namespace troupe::tests {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

/// Optional messages are left out from here on; types that contain themselves would never end.
constexpr int deepest = 4;

}  // namespace

void random_message_filler::fill(Message& message, int depth) {
  const auto* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const auto& field = *type->field(i);
    const bool nested = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (field.is_required() || (!(nested && depth >= deepest) && chance(2))) fill_field(message, field, depth);
  }
}

void random_message_filler::fill_field(Message& message, const FieldDescriptor& field, int depth) {
  if (field.is_map()) return fill_map(message, field, depth);
  const auto count = field.is_repeated() ? below(3) : 1;
  for (std::uint64_t i = 0; i < count; ++i) add_value(message, field, depth);
}

void random_message_filler::fill_map(Message& message, const FieldDescriptor& field, int depth) {
  const auto count = below(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto& entry = *message.GetReflection()->AddMessage(&message, &field);
    entry.GetReflection()->SetString(&entry, field.message_type()->map_key(), text() + std::to_string(i));
    add_value(entry, *field.message_type()->map_value(), depth);
  }
}

void random_message_filler::add_value(Message& message, const FieldDescriptor& field, int depth) {
  const auto& r = *message.GetReflection();
  const bool list = field.is_repeated();
  auto* m = &message;
  auto* f = &field;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = static_cast<std::int32_t>(number());
      return list ? r.AddInt32(m, f, value) : r.SetInt32(m, f, value);
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const auto value = static_cast<std::int64_t>(number());
      return list ? r.AddInt64(m, f, value) : r.SetInt64(m, f, value);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      const auto value = static_cast<std::uint32_t>(number());
      return list ? r.AddUInt32(m, f, value) : r.SetUInt32(m, f, value);
    }
    case FieldDescriptor::CPPTYPE_UINT64:
      return list ? r.AddUInt64(m, f, number()) : r.SetUInt64(m, f, number());
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return list ? r.AddDouble(m, f, floating()) : r.SetDouble(m, f, floating());
    case FieldDescriptor::CPPTYPE_FLOAT: {
      const auto value = static_cast<float>(static_cast<std::int16_t>(number())) / 3.0F;
      return list ? r.AddFloat(m, f, value) : r.SetFloat(m, f, value);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return list ? r.AddBool(m, f, chance(2)) : r.SetBool(m, f, chance(2));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* type = field.enum_type();
      const auto* value = type->value(static_cast<int>(below(static_cast<std::uint64_t>(type->value_count()))));
      return list ? r.AddEnum(m, f, value) : r.SetEnum(m, f, value);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      auto value = field.type() == FieldDescriptor::TYPE_BYTES ? bytes() : text();
      return list ? r.AddString(m, f, std::move(value)) : r.SetString(m, f, std::move(value));
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return fill(list ? *r.AddMessage(m, f) : *r.MutableMessage(m, f), depth + 1);
  }
}

/// Of every magnitude, the ends of all ranges included.
std::uint64_t random_message_filler::number() {
  if (chance(8)) return std::numeric_limits<std::uint64_t>::max();
  if (chance(8)) return std::uint64_t{1} << 63;
  return random_() >> below(64);
}

/// Any finite double, or a plain one as people write them.
double random_message_filler::floating() {
  if (chance(2)) return static_cast<double>(below(1'000'000)) / 1000.0;
  const auto bits = random_();
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value - value == 0 ? value : 0.1;
}

std::string random_message_filler::text() {
  static const std::string pieces[] = {"a",
                                       "Z",
                                       "7",
                                       "-",
                                       " ",
                                       "\"",
                                       "\\",
                                       "/",
                                       "\n",
                                       "\t",
                                       "\x01",
                                       "\xC3\xA9",
                                       "\xE2\x82\xAC",
                                       "\xF0\x9F\x8E\xAD",
                                       "\x7F",
                                       std::string(1, '\0')};
  std::string text;
  const auto count = below(8);
  for (std::uint64_t i = 0; i < count; ++i) text += pieces[below(std::size(pieces))];
  return text;
}

std::string random_message_filler::bytes() {
  std::string bytes;
  const auto count = below(8);
  for (std::uint64_t i = 0; i < count; ++i) bytes += static_cast<char>(random_());
  return bytes;
}

}  // namespace troupe::tests
