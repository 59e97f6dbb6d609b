#include "tools/state_fields.hpp"

#include "protocol/json_text.hpp"

namespace troupe {

namespace json = boost::json;

namespace {

void append(const json::value& value, std::string& out) {
  if (value.is_object()) {
    json_object_writer object(out);
    for (const auto& [key, each] : value.get_object()) append(each, object.key(key));
  } else if (value.is_array()) {
    json_array_writer array(out);
    for (const auto& each : value.get_array()) append(each, array.element());
  } else if (value.is_double()) {
    append_json_double(value.get_double(), out);
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string json_line(const json::value& value) {
  std::string out;
  append(value, out);
  return out;
}

const json::value& member(const json::value& object, const char* key) {
  static const json::value none;
  const auto* found = object.is_object() ? object.get_object().if_contains(key) : nullptr;
  return found ? *found : none;
}

const json::array& list(const json::value& object, const char* key) {
  static const json::array none;
  const auto& found = member(object, key);
  return found.is_array() ? found.get_array() : none;
}

std::string text(const json::value& object, const char* key) {
  const auto& found = member(object, key);
  if (found.is_null()) return {};
  return found.is_string() ? std::string(found.get_string()) : json_line(found);
}

}  // namespace troupe
