#pragma once

#include "actors/runtime/step.hpp"
#include "troupe/internal/recording.pb.h"

#include <cstdint>
#include <memory>
#include <string>

/// Steps as recordings keep them, and back. Bodies are serialised deterministically: two outboxes are the same if their
/// bytes are.
namespace troupe {

internal::RecordedContext recorded(const context& now);
internal::RecordedOutbox recorded(const outbox& out);
/// `event` names the step's event: Envelope.cause of the letters that it sends.
internal::RecordedStep recorded_step(std::uint64_t event, const Envelope& head, const google::protobuf::Message& body,
                                     const context& now, const outbox& out);

context context_of(const internal::RecordedContext& recorded);
/// Null where the verb is unknown or the bytes are none of it.
std::unique_ptr<google::protobuf::Message> body_of(std::uint32_t verb, const std::string& bytes);

}  // namespace troupe
