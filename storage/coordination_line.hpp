#pragma once

#include <google/protobuf/message.h>

#include <memory>

namespace troupe {

/// A line to the coordination service for those who may wait: one request at a time, and its answer. The same messages
/// travel on it as between an elector and the coordinator (coordination.proto), and the same promises hold: answers of
/// one session in the order of its requests. Used by one thread at a time.
class coordination_line {
 public:
  virtual ~coordination_line() = default;

  /// The answer to one of coordinator_hears but OpenSession. RequestLost where there is none within the session's
  /// timeout; RequestRefused{SESSION_EXPIRED} where the session is over. Never null.
  virtual std::shared_ptr<const google::protobuf::Message> ask(const google::protobuf::Message& request) = 0;
};

}  // namespace troupe
