#include "tests/scenarios/letter_text.hpp"

#include "protocol/verbs.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <stdexcept>

namespace troupe::testing {

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

bool ends_with_part(std::string_view whole, std::string_view tail) {
  if (whole == tail) return true;
  return whole.size() > tail.size() && whole.substr(whole.size() - tail.size()) == tail &&
         whole[whole.size() - tail.size() - 1] == '.';
}

bool same_value(const std::string& value, const std::string& asked,
                const std::function<std::string(const std::string&)>& id_of) {
  if (value == asked || value == "REASON_" + asked) return true;
  const auto id = id_of(asked);
  return !id.empty() && value == id;
}

}  // namespace

std::string written(std::uint32_t verb) {
  std::string name(verb_name(verb));
  for (const char* package : {"troupe.internal.", "troupe.v1."})
    if (name.rfind(package, 0) == 0) return name.substr(std::string_view(package).size());
  return name;
}

std::uint32_t verb_written(std::string_view tail) {
  std::vector<verb_info> meant;
  for (const auto& verb : all_verbs()) {
    if (written(verb.number) == tail) return verb.number;
    if (ends_with_part(written(verb.number), tail)) meant.push_back(verb);
  }
  if (meant.size() == 1) return meant.front().number;
  std::string names;
  for (const auto& verb : meant) names += (names.empty() ? "" : ", ") + written(verb.number);
  throw std::invalid_argument("'" + std::string(tail) + "' " +
                              (meant.empty() ? std::string("is no verb of protocol/verbs.hpp")
                                             : "could be any of " + names + "; write more of it"));
}

std::vector<leaf> leaves_of(const Message& message) {
  std::vector<leaf> found;
  collect(message, "", found);
  return found;
}

bool fits(const std::string& word, const std::vector<leaf>& leaves,
          const std::function<std::string(const std::string&)>& id_of) {
  if (word.size() >= 2 && word.front() == '"') {
    const auto text = word.substr(1, word.size() - 2);
    return std::any_of(leaves.begin(), leaves.end(),
                       [&](const leaf& l) { return l.second.find(text) != std::string::npos; });
  }
  const auto equals = word.find('=');
  const auto field = equals == std::string::npos ? std::string() : word.substr(0, equals);
  const auto value = equals == std::string::npos ? word : word.substr(equals + 1);
  return std::any_of(leaves.begin(), leaves.end(), [&](const leaf& l) {
    if (!field.empty() && !ends_with_part(l.first, field) && !ends_with_part(l.first, field + ".value")) return false;
    return same_value(l.second, value, id_of);
  });
}

std::string line_of(const Message& message) {
  std::string line;
  for (const auto& [path, value] : leaves_of(message)) {
    const bool readable =
        value.size() <= 200 && std::all_of(value.begin(), value.end(), [](unsigned char c) { return std::isprint(c); });
    line +=
        (line.empty() ? "" : " ") + path + "=" + (readable ? value : "(" + std::to_string(value.size()) + " bytes)");
  }
  return line.size() <= 700 ? line : line.substr(0, 700) + " ...";
}

}  // namespace troupe::testing
