#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/message.h>

#include <optional>
#include <string>

/// A framework's own messages between its scheduler and its executors travel as opaque bytes; packed this way they
/// carry their type.
namespace troupe::sdk {

inline std::string pack(const google::protobuf::Message& message) {
  google::protobuf::Any any;
  any.PackFrom(message);
  return any.SerializeAsString();
}

/// The message, if these bytes hold one of this type; bytes from elsewhere give nothing.
template <class Message>
std::optional<Message> unpack(const std::string& bytes) {
  google::protobuf::Any any;
  Message message;
  if (any.ParseFromString(bytes) && any.Is<Message>() && any.UnpackTo(&message)) return message;
  return std::nullopt;
}

}  // namespace troupe::sdk
