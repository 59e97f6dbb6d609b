#pragma once

#include "actors/runtime/net/link.hpp"
#include "protocol/error.hpp"
#include "troupe/internal/link.pb.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// What stands in the frames of a link, and who may say what when. Pure: bytes in, values out.
namespace troupe {

constexpr std::uint32_t link_version_min = 1;
constexpr std::uint32_t link_version_max = 1;

/// A handshake frame is never larger, whatever a link's own limit is.
constexpr std::size_t handshake_bytes_max = 16u << 10;

/// Parses any bytes at all; an error says what is wrong with them.
result<internal::Frame> parse_frame(std::string_view bytes);

/// The dialler's first frame.
std::string hello_frame(const link_identity& self, const link_options& options);

struct link_greeting {
  link_identity peer;
  std::uint64_t credit_bytes = 0;  ///< what we may send ahead
  std::uint32_t version = 0;       ///< what both ends will speak
  std::uint32_t heartbeat_ms = 0;  ///< the acceptor's wish; 0 when it has none
};

/// What the acceptor makes of the dialler's first frame. An error is the reason to refuse, as the dialler will read it.
result<link_greeting> read_hello(std::string_view bytes);

std::string welcome_frame(const link_identity& self, const link_greeting& greeting, const link_options& options);
std::string refused_frame(const std::string& reason);

/// What the dialler makes of the answer. An error with errc::unavailable is the acceptor's refusal, in its words.
result<link_greeting> read_welcome(std::string_view bytes);

/// Appends one envelope to a frame under construction, and returns the bytes it counts for in flow control. Frames are
/// built by appending fields to a string: that is what protobuf's encoding is.
std::uint64_t append_envelope(std::string& frame, const Envelope& envelope);
/// The same for an envelope, which has no payload yet, around `body`.
std::uint64_t append_envelope(std::string& frame, const Envelope& head, const google::protobuf::Message& body);
/// What that will return.
std::uint64_t cost(const Envelope& head, const google::protobuf::Message& body);
void append_credit(std::string& frame, std::uint64_t bytes);
std::string heartbeat_frame();

/// The bytes that an envelope counts for in flow control, at both ends.
std::uint64_t cost(const Envelope& envelope);

}  // namespace troupe
