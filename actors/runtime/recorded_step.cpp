#include "actors/runtime/recorded_step.hpp"

#include "protocol/deterministic_bytes.hpp"

namespace troupe {

internal::RecordedContext recorded(const context& now) {
  internal::RecordedContext kept;
  kept.set_now_ns(now.now.time_since_epoch().count());
  kept.set_wall_now_ns(now.wall_now.time_since_epoch().count());
  kept.set_incarnation(now.incarnation);
  kept.set_random_seed(now.random_seed);
  return kept;
}

internal::RecordedOutbox recorded(const outbox& out) {
  internal::RecordedOutbox kept;
  for (const auto& each : out.edits) {
    auto* edit = kept.add_edits();
    edit->set_key(each.key);
    if (each.record) edit->set_record(*each.record);
  }
  for (const auto& each : out.letters) {
    auto* letter = kept.add_letters();
    *letter->mutable_to() = each.to;
    letter->set_verb(each.verb);
    append_deterministic_bytes(*each.body, *letter->mutable_body());
  }
  if (out.wake_at) kept.set_wake_at_ns(out.wake_at->time_since_epoch().count());
  for (const auto& line : out.log) kept.add_log(line);
  return kept;
}

internal::RecordedStep recorded_step(std::uint64_t event, const Envelope& head, const google::protobuf::Message& body,
                                     const context& now, const outbox& out) {
  internal::RecordedStep step;
  step.set_event(event);
  *step.mutable_head() = head;
  step.mutable_head()->clear_payload();
  append_deterministic_bytes(body, *step.mutable_head()->mutable_payload());
  *step.mutable_context() = recorded(now);
  *step.mutable_outbox() = recorded(out);
  return step;
}

context context_of(const internal::RecordedContext& kept) {
  context now;
  now.now = monotonic_time(std::chrono::nanoseconds(kept.now_ns()));
  now.wall_now = wall_time(std::chrono::nanoseconds(kept.wall_now_ns()));
  now.incarnation = kept.incarnation();
  now.random_seed = kept.random_seed();
  return now;
}

std::unique_ptr<google::protobuf::Message> body_of(std::uint32_t verb, const std::string& bytes) {
  auto body = new_message(verb);
  if (body && !body->ParsePartialFromString(bytes)) body.reset();
  return body;
}

}  // namespace troupe
