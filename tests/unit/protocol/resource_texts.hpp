#pragma once

#include "protocol/resources.hpp"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>

#include <stdexcept>
#include <string>

namespace troupe::testing {

/// Resources as a test writes them down; throws if the text is wrong.
inline resources of(const std::string& text) {
  return resources::parse(text).value();
}

/// A message from protobuf's text format; throws if the text is wrong.
inline v1::Resource message(const std::string& text) {
  google::protobuf::LogSilencer no_warnings_of_deprecated_fields;
  v1::Resource out;
  if (!google::protobuf::TextFormat::ParseFromString(text, &out)) throw std::invalid_argument(text);
  return out;
}

/// What reading the message complains about; empty if nothing.
inline std::string complaint(const v1::Resource& m) {
  const auto read = resources::from(m);
  return read ? std::string() : read.error().message;
}
inline std::string complaint(const std::string& text) {
  return complaint(message(text));
}

}  // namespace troupe::testing
