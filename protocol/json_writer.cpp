#include "protocol/json_writer.hpp"

#include "protocol/base64.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace troupe {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void write_message(const Message& message, std::string& out, const json_options& options);

void write_text(const FieldDescriptor& field, const std::string& text, std::string& out) {
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    out += '"';
    append_base64(text, out);
    out += '"';
  } else {
    append_json_string(text, out);
  }
}

/// A number that no value of the enum has stays a number; only open (proto3) enums can hold one.
void write_enum(const FieldDescriptor& field, int number, std::string& out) {
  if (const auto* value = field.enum_type()->FindValueByNumber(number)) {
    append_json_string(value->name(), out);
  } else {
    append_json_value(number, out);
  }
}

/// Where one value stands: a singular field, or one element of a repeated one.
struct place {
  const Message& message;
  const FieldDescriptor& field;
  int index;  ///< -1 for a singular field
};

template <class T>
T read(const place& at, T (Reflection::*singular)(const Message&, const FieldDescriptor*) const,
       T (Reflection::*repeated)(const Message&, const FieldDescriptor*, int) const) {
  const auto* reflection = at.message.GetReflection();
  return at.index < 0 ? (reflection->*singular)(at.message, &at.field)
                      : (reflection->*repeated)(at.message, &at.field, at.index);
}

const std::string& read_text(const place& at, std::string& scratch) {
  const auto* reflection = at.message.GetReflection();
  return at.index < 0 ? reflection->GetStringReference(at.message, &at.field, &scratch)
                      : reflection->GetRepeatedStringReference(at.message, &at.field, at.index, &scratch);
}

const Message& read_message(const place& at) {
  const auto* reflection = at.message.GetReflection();
  return at.index < 0 ? reflection->GetMessage(at.message, &at.field)
                      : reflection->GetRepeatedMessage(at.message, &at.field, at.index);
}

void write_value(const place& at, std::string& out, const json_options& options) {
  std::string scratch;
  switch (at.field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return append_json_value(read(at, &Reflection::GetInt32, &Reflection::GetRepeatedInt32), out);
    case FieldDescriptor::CPPTYPE_INT64:
      return append_json_value(read(at, &Reflection::GetInt64, &Reflection::GetRepeatedInt64), out);
    case FieldDescriptor::CPPTYPE_UINT32:
      return append_json_value(read(at, &Reflection::GetUInt32, &Reflection::GetRepeatedUInt32), out);
    case FieldDescriptor::CPPTYPE_UINT64:
      return append_json_value(read(at, &Reflection::GetUInt64, &Reflection::GetRepeatedUInt64), out);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return append_json_value(read(at, &Reflection::GetDouble, &Reflection::GetRepeatedDouble), out);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return append_json_value(read(at, &Reflection::GetFloat, &Reflection::GetRepeatedFloat), out);
    case FieldDescriptor::CPPTYPE_BOOL:
      return append_json_value(read(at, &Reflection::GetBool, &Reflection::GetRepeatedBool), out);
    case FieldDescriptor::CPPTYPE_ENUM:
      return write_enum(at.field, read(at, &Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue), out);
    case FieldDescriptor::CPPTYPE_STRING:
      return write_text(at.field, read_text(at, scratch), out);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return write_message(read_message(at), out, options);
  }
}

void write_list(const Message& message, const FieldDescriptor& field, std::string& out, const json_options& options) {
  json_array_writer list(out);
  const int size = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < size; ++i) write_value({message, field, i}, list.element(), options);
}

/// A map key as text; every kind of key has one.
std::string key_text(const Message& entry, const FieldDescriptor& key) {
  std::string scratch;
  if (key.cpp_type() == FieldDescriptor::CPPTYPE_STRING) return read_text({entry, key, -1}, scratch);
  std::string text;
  write_value({entry, key, -1}, text, {});
  return text;
}

void write_map(const Message& message, const FieldDescriptor& field, std::string& out, const json_options& options) {
  const auto* reflection = message.GetReflection();
  std::vector<std::pair<std::string, const Message*>> entries;
  for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
    const auto& entry = reflection->GetRepeatedMessage(message, &field, i);
    entries.emplace_back(key_text(entry, *field.message_type()->map_key()), &entry);
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  json_object_writer object(out);
  for (const auto& [key, entry] : entries) {
    write_value({*entry, *field.message_type()->map_value(), -1}, object.key(key), options);
  }
}

bool lists_always(const Descriptor* type, const json_options& options) {
  const auto& types = options.empty_lists_of;
  return std::find(types.begin(), types.end(), type) != types.end();
}

/// proto3 fields without presence always have a value; google.protobuf.Duration is made of such.
bool is_written(const Message& message, const FieldDescriptor& field, bool empty_lists) {
  const auto* reflection = message.GetReflection();
  if (field.is_repeated()) {
    return reflection->FieldSize(message, &field) > 0 ||
           (empty_lists && !field.is_map() && !field.options().deprecated());
  }
  if (!field.has_presence() || reflection->HasField(message, &field)) return true;
  return field.is_optional() && field.has_default_value() && !field.options().deprecated();
}

void write_message(const Message& message, std::string& out, const json_options& options) {
  const auto* type = message.GetDescriptor();
  const bool empty_lists = lists_always(type, options);
  json_object_writer object(out);
  for (int i = 0; i < type->field_count(); ++i) {
    const auto& field = *type->field(i);
    if (!is_written(message, field, empty_lists)) continue;
    auto& value = object.key(field.name());
    if (field.is_map()) {
      write_map(message, field, value, options);
    } else if (field.is_repeated()) {
      write_list(message, field, value, options);
    } else {
      write_value({message, field, -1}, value, options);
    }
  }
}

}  // namespace

void append_json(const Message& message, std::string& out) {
  write_message(message, out, {});
}

void append_json(const Message& message, std::string& out, const json_options& options) {
  write_message(message, out, options);
}

std::string to_json(const Message& message, const json_options& options) {
  std::string out;
  write_message(message, out, options);
  return out;
}

}  // namespace troupe
