#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace troupe {

/// The message as bytes, always the same ones for the same message, whether or not all that it must have is set.
std::string deterministic_bytes(const google::protobuf::Message& message);
void append_deterministic_bytes(const google::protobuf::Message& message, std::string& out);

}  // namespace troupe
