#include "actors/runtime/net/message_budget.hpp"
#include "actors/runtime/net/socket_link.hpp"
#include "protocol/verbs.hpp"
#include "tests/fuzz/fuzzing.hpp"

#include <iterator>
#include <memory>
#include <string>
#include <utility>

/// One frame on an established link: the frame, its credit, its envelopes, and the payloads of those that the peer's
/// role may send. The first byte chooses that role, and whether the frame comes behind so much else that its objects
/// are counted first.
namespace troupe {

namespace {

constexpr Role roles[] = {internal::AGENT, internal::MASTER, internal::EXECUTOR, internal::FRAMEWORK,
                          internal::OPERATOR};
constexpr int payload_depth_max = 64;
constexpr int frame_depth_max = 16;
constexpr std::uint8_t large = 0x80;

/// A frame that is too large to be parsed uncounted, up to its last field; what follows is `bytes`. Always the same
/// memory: to copy it each time would be most of the work.
std::string_view behind_padding(std::string_view bytes) {
  static const std::string padding = [] {
    Envelope envelope;
    envelope.set_payload(std::string((1u << 20) + 1, 'x'));
    std::string frame;
    append_envelope(frame, envelope);
    return frame;
  }();
  static std::string whole = padding;
  whole.resize(padding.size());
  return whole.append(bytes);
}

void hear(Role peer, const Envelope& envelope) {
  std::string again;
  fuzzing::require(append_envelope(again, envelope) == cost(envelope), "an envelope costs what its bytes are");
  auto frame = parse_frame(again);
  fuzzing::require(frame && frame->envelopes_size() == 1, "what was an envelope can be sent on");
  if (!may_cross_link(peer, envelope.to().role(), envelope.verb())) return;
  auto body = new_message(envelope.verb());
  fuzzing::require(body != nullptr, "what may be said has a message");
  if (!parse_within_budget(envelope.payload(), *body, payload_depth_max)) return;
  fuzzing::require(verb_of(*body) == envelope.verb(), "a message knows its verb");
}

}  // namespace

}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  fuzzing::input in(data, size);
  link_greeting greeting;
  const auto choice = in.choose();
  greeting.peer.role = roles[choice % large % std::size(roles)];
  greeting.credit_bytes = 1u << 16;
  link_options options;
  options.credit_bytes = 1u << 16;
  const auto connection = std::make_shared<socket_link>(greeting, options, true);
  link_events events;
  std::uint64_t heard = 0;
  events.envelope = [&](const std::shared_ptr<troupe::link>& from, Envelope&& envelope, const std::shared_ptr<void>&) {
    heard += cost(envelope);
    hear(from->peer().role, envelope);
  };
  if (choice & large) (void)within_budget(behind_padding(in.rest()), *internal::Frame::descriptor(), frame_depth_max);
  (void)connection->receive(in.rest(), events);
  fuzzing::require(heard <= in.rest().size(), "envelopes come to no more than their frame");
  return 0;
}
