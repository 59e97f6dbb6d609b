#include "protocol/message_text.hpp"

#include "protocol/verbs.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <string_view>

namespace troupe {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", number);
  return text;
}

std::string scalar_text(const Message& message, const FieldDescriptor* field, int index) {
  const Reflection& r = *message.GetReflection();
  const bool one = index < 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(one ? r.GetInt32(message, field) : r.GetRepeatedInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(one ? r.GetInt64(message, field) : r.GetRepeatedInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(one ? r.GetUInt32(message, field) : r.GetRepeatedUInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return std::to_string(one ? r.GetUInt64(message, field) : r.GetRepeatedUInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return number_text(one ? r.GetDouble(message, field) : r.GetRepeatedDouble(message, field, index));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return number_text(
          static_cast<double>(one ? r.GetFloat(message, field) : r.GetRepeatedFloat(message, field, index)));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (one ? r.GetBool(message, field) : r.GetRepeatedBool(message, field, index)) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return (one ? r.GetEnum(message, field) : r.GetRepeatedEnum(message, field, index))->name();
    case FieldDescriptor::CPPTYPE_STRING:
      return one ? r.GetString(message, field) : r.GetRepeatedString(message, field, index);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return {};
}

void collect(const Message& message, const std::string& path, std::vector<leaf>& found) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const auto* field : fields) {
    const auto here = path.empty() ? field->name() : path + "." + field->name();
    const bool nested = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    const Reflection& r = *message.GetReflection();
    if (!field->is_repeated()) {
      if (nested)
        collect(r.GetMessage(message, field), here, found);
      else
        found.emplace_back(here, scalar_text(message, field, -1));
      continue;
    }
    for (int i = 0; i < r.FieldSize(message, field); ++i) {
      if (nested)
        collect(r.GetRepeatedMessage(message, field, i), here, found);
      else
        found.emplace_back(here, scalar_text(message, field, i));
    }
  }
}

}  // namespace

std::string written(std::uint32_t verb) {
  std::string name(verb_name(verb));
  for (const char* package : {"troupe.internal.", "troupe.v1."})
    if (name.rfind(package, 0) == 0) return name.substr(std::string_view(package).size());
  return name;
}

std::vector<leaf> leaves_of(const Message& message) {
  std::vector<leaf> found;
  collect(message, "", found);
  return found;
}

std::string line_of(const std::vector<leaf>& leaves, std::size_t bytes_max) {
  constexpr std::size_t value_bytes_max = 200;
  std::string line;
  for (const auto& [path, value] : leaves) {
    const bool readable = value.size() <= value_bytes_max &&
                          std::all_of(value.begin(), value.end(), [](unsigned char c) { return std::isprint(c) != 0; });
    line +=
        (line.empty() ? "" : " ") + path + "=" + (readable ? value : "(" + std::to_string(value.size()) + " bytes)");
  }
  return line.size() <= bytes_max ? line : line.substr(0, bytes_max) + " ...";
}

std::string line_of(const Message& message) {
  return line_of(leaves_of(message));
}

}  // namespace troupe
