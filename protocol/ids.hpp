#pragma once

#include "troupe/v1/troupe.pb.h"

#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace troupe {

/// A name of one kind of thing. Two kinds never convert into each other; `Proto` is the message that carries it on the
/// wire.
template <class Proto>
class strong_id {
 public:
  strong_id() = default;
  explicit strong_id(std::string value) : value_(std::move(value)) {}
  // Implicit from its own message only: fields of messages read as ids without ceremony.
  strong_id(const Proto& message) : value_(message.value()) {}  // NOLINT(google-explicit-constructor)

  const std::string& value() const& { return value_; }
  std::string value() && { return std::move(value_); }  // so that the text of a temporary id outlives it
  bool empty() const { return value_.empty(); }

  Proto proto() const {
    Proto message;
    message.set_value(value_);
    return message;
  }

  friend bool operator==(const strong_id& a, const strong_id& b) { return a.value_ == b.value_; }
  friend bool operator!=(const strong_id& a, const strong_id& b) { return a.value_ != b.value_; }
  friend bool operator<(const strong_id& a, const strong_id& b) { return a.value_ < b.value_; }
  friend std::ostream& operator<<(std::ostream& out, const strong_id& id) { return out << id.value_; }

 private:
  std::string value_;
};

using agent_id = strong_id<v1::AgentID>;
using framework_id = strong_id<v1::FrameworkID>;
using executor_id = strong_id<v1::ExecutorID>;
using task_id = strong_id<v1::TaskID>;
using offer_id = strong_id<v1::OfferID>;
using container_id = strong_id<v1::ContainerID>;
using operation_id = strong_id<v1::OperationID>;

}  // namespace troupe

template <class Proto>
struct std::hash<troupe::strong_id<Proto>> {
  std::size_t operator()(const troupe::strong_id<Proto>& id) const { return std::hash<std::string>{}(id.value()); }
};
