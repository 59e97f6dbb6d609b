#include "tools/state_fields.hpp"

namespace troupe {

namespace json = boost::json;

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
  return found.is_string() ? std::string(found.get_string()) : json::serialize(found);
}

}  // namespace troupe
