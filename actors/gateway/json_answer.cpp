#include "actors/gateway/json_answer.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr std::size_t name_bytes_max = 128;

bool is_function_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           c == '.';
  };
  return !name.empty() && name.size() <= name_bytes_max && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

http_response json_answer(const http_request& request, std::string json) {
  http_response response;
  const auto jsonp = request.query.find("jsonp");
  if (jsonp == request.query.end()) {
    response.content_type = "application/json";
    response.body = std::move(json);
    return response;
  }
  if (!is_function_name(jsonp->second)) {
    return http_text(400, "jsonp: must be the name of a function: letters, digits, '_', '$' and '.', at most " +
                              std::to_string(name_bytes_max) + " bytes");
  }
  response.content_type = "text/javascript";
  response.body = jsonp->second + "(" + json + ");";
  return response;
}

}  // namespace troupe
