#include "protocol/json_reader.hpp"

#include "protocol/json_message_builder.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <string>

namespace troupe {

namespace {

error no_json(const std::string& why) {
  return invalid("could not parse the text as JSON: " + why);
}

error no_message(const google::protobuf::Message& message, const std::string& why) {
  return invalid("could not convert the JSON to " + message.GetTypeName() + ": " + why);
}

}  // namespace

result<void> from_json(std::string_view text, google::protobuf::Message& message, const json_limits& limits) {
  message.Clear();
  if (text.size() > limits.max_bytes) {
    return no_json("it has " + std::to_string(text.size()) + " bytes, at most " + std::to_string(limits.max_bytes) +
                   " are taken");
  }
  boost::json::parse_options options;
  options.max_depth = limits.max_depth;
  boost::json::basic_parser<json_message_builder> parser(options, message, limits.max_values);
  boost::system::error_code ec;
  const auto used = parser.write_some(false, text.data(), text.size(), ec);
  const auto& builder = parser.handler();
  if (!builder.problem().empty()) return no_message(message, builder.problem());
  const auto where = "at byte " + std::to_string(used);
  if (ec) return no_json(ec.message() + " " + where + (builder.path().empty() ? "" : ", in " + builder.path()));
  if (used < text.size()) return no_json("something follows the object " + where);
  if (const auto missing = builder.missing(); !missing.empty()) return no_message(message, missing);
  return {};
}

}  // namespace troupe
