#pragma once

#include "actors/runtime/step.hpp"
#include "protocol/error.hpp"
#include "troupe/internal/recording.pb.h"

#include <memory>

namespace troupe {

/// A production core behind one interface, in the state that a recording begins with.
class replayed_core {
 public:
  virtual ~replayed_core() = default;
  virtual outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now) = 0;
};

/// The core of a recording: a master, an allocator, an agent or a built-in executor. Errors: invalid_argument where
/// this program has no such core, or none made with these options; corrupt where the saved state cannot be read.
result<std::unique_ptr<replayed_core>> core_of(const internal::RecordingHeader& header);

}  // namespace troupe
