#include "actors/runtime/net/link_frame.hpp"

#include "actors/runtime/net/message_budget.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>

namespace troupe {

namespace {

// Envelopes do not nest; what does nest is not of this protocol.
constexpr int frame_depth_max = 16;
constexpr std::size_t id_bytes_max = 256;

using google::protobuf::internal::WireFormatLite;

void append_varint(std::string& out, std::uint64_t value) {
  std::uint8_t buffer[10];
  auto* end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, buffer);
  out.append(buffer, end);
}

void append_tag(std::string& out, int field) {
  append_varint(out, WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
}

bool printable(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

result<link_identity> read_identity(Role role, const std::string& id, std::uint64_t incarnation,
                                    const std::string& cluster, const std::string& software) {
  switch (role) {
    case internal::MASTER:
    case internal::AGENT:
    case internal::EXECUTOR:
    case internal::FRAMEWORK:
    case internal::OPERATOR:
      break;
    case internal::NOBODY:
    case internal::ALLOCATOR:
    case internal::CONTAINERIZER:
    case internal::SUPERVISOR:
    case internal::RUNTIME:
    case internal::COORDINATOR:
    case internal::ELECTOR:
      return invalid("role: " + std::string(role_name(role)) +
                     " does not talk over links; agent, executor, framework, master and operator do");
  }
  if (id.empty() || id.size() > id_bytes_max || !printable(id)) {
    return invalid("id: must have 1 to " + std::to_string(id_bytes_max) + " bytes and no control characters");
  }
  if (cluster.size() > id_bytes_max)
    return invalid("cluster_id: must have at most " + std::to_string(id_bytes_max) + " bytes");
  return link_identity{role, id, incarnation, cluster, software.substr(0, id_bytes_max)};
}

std::string bytes_of(const internal::Frame& frame) {
  return frame.SerializeAsString();
}

}  // namespace

result<internal::Frame> parse_frame(std::string_view bytes) {
  internal::Frame frame;
  if (!parse_within_budget(bytes, frame, frame_depth_max))
    return error{errc::corrupt, "not a frame of this protocol, or one of too many parts"};
  return frame;
}

std::string hello_frame(const link_identity& self, const link_options& options) {
  internal::Frame frame;
  auto& hello = *frame.mutable_hello();
  hello.set_version_min(link_version_min);
  hello.set_version_max(link_version_max);
  hello.set_role(self.role);
  hello.set_id(self.id);
  hello.set_incarnation(self.incarnation);
  hello.set_cluster_id(self.cluster_id);
  hello.set_software(self.software);
  hello.set_credit_bytes(options.credit_bytes);
  return bytes_of(frame);
}

result<link_greeting> read_hello(std::string_view bytes) {
  auto frame = parse_frame(bytes);
  if (!frame) return frame.error();
  if (!frame->has_hello()) return invalid("the first frame must be a Hello");
  const auto& hello = frame->hello();
  auto peer = read_identity(hello.role(), hello.id(), hello.incarnation(), hello.cluster_id(), hello.software());
  if (!peer) return peer.error();
  auto version = std::min(link_version_max, hello.version_max());
  if (version < std::max(link_version_min, hello.version_min())) {
    return invalid("version: this end speaks link versions " + std::to_string(link_version_min) + " to " +
                   std::to_string(link_version_max) + ", the other " + std::to_string(hello.version_min()) + " to " +
                   std::to_string(hello.version_max()));
  }
  return link_greeting{*peer, hello.credit_bytes(), version, 0};
}

std::string welcome_frame(const link_identity& self, const link_greeting& greeting, const link_options& options) {
  internal::Frame frame;
  auto& welcome = *frame.mutable_welcome();
  welcome.set_version(greeting.version);
  welcome.set_role(self.role);
  welcome.set_id(self.id);
  welcome.set_incarnation(self.incarnation);
  welcome.set_cluster_id(self.cluster_id);
  welcome.set_software(self.software);
  welcome.set_credit_bytes(options.credit_bytes);
  welcome.set_heartbeat_ms(options.heartbeat_ms);
  return bytes_of(frame);
}

std::string refused_frame(const std::string& reason) {
  internal::Frame frame;
  frame.mutable_refused()->set_reason(reason);
  return bytes_of(frame);
}

result<link_greeting> read_welcome(std::string_view bytes) {
  auto frame = parse_frame(bytes);
  if (!frame) return frame.error();
  if (frame->has_refused()) return error{errc::unavailable, "refused: " + frame->refused().reason().substr(0, 1024)};
  if (!frame->has_welcome()) return error{errc::corrupt, "the answer to a Hello must be Welcome or Refused"};
  const auto& welcome = frame->welcome();
  if (welcome.version() < link_version_min || welcome.version() > link_version_max) {
    return error{errc::corrupt, "version: the other end chose one that was not offered"};
  }
  auto peer =
      read_identity(welcome.role(), welcome.id(), welcome.incarnation(), welcome.cluster_id(), welcome.software());
  if (!peer) return peer.error();
  return link_greeting{*peer, welcome.credit_bytes(), welcome.version(), welcome.heartbeat_ms()};
}

std::uint64_t append_envelope(std::string& frame, const Envelope& envelope) {
  const std::size_t size = envelope.ByteSizeLong();
  append_tag(frame, internal::Frame::kEnvelopesFieldNumber);
  append_varint(frame, size);
  const auto at = frame.size();
  frame.resize(at + size);
  envelope.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(frame.data() + at));
  return size;
}

std::uint64_t append_envelope(std::string& frame, const Envelope& head, const google::protobuf::Message& body) {
  const std::size_t size = cost(head, body);
  append_tag(frame, internal::Frame::kEnvelopesFieldNumber);
  append_varint(frame, size);
  const auto at = frame.size();
  frame.resize(at + size);
  // The sizes are those that `cost` has just had computed.
  auto* out = head.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(frame.data() + at));
  out = WireFormatLite::WriteTagToArray(Envelope::kPayloadFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED, out);
  out = google::protobuf::io::CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(body.GetCachedSize()),
                                                                      out);
  body.SerializeWithCachedSizesToArray(out);
  return size;
}

std::uint64_t cost(const Envelope& head, const google::protobuf::Message& body) {
  return head.ByteSizeLong() + WireFormatLite::TagSize(Envelope::kPayloadFieldNumber, WireFormatLite::TYPE_BYTES) +
         WireFormatLite::LengthDelimitedSize(body.ByteSizeLong());
}

void append_credit(std::string& frame, std::uint64_t bytes) {
  internal::Credit credit;
  credit.set_bytes(bytes);
  append_tag(frame, internal::Frame::kCreditFieldNumber);
  append_varint(frame, credit.ByteSizeLong());
  credit.AppendToString(&frame);
}

std::string heartbeat_frame() {
  internal::Frame frame;
  frame.mutable_heartbeat();
  return bytes_of(frame);
}

std::uint64_t cost(const Envelope& envelope) {
  return envelope.ByteSizeLong();
}

}  // namespace troupe
