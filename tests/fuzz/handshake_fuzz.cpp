#include "actors/runtime/net/link_frame.hpp"
#include "tests/fuzz/fuzzing.hpp"

#include <algorithm>

/// The first frame of either end. The first byte chooses which.
namespace troupe {

namespace {

void check(const link_greeting& greeting) {
  const auto& peer = greeting.peer;
  fuzzing::require(!peer.id.empty() && peer.id.size() <= 256, "an id has 1 to 256 bytes");
  fuzzing::require(std::all_of(peer.id.begin(), peer.id.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; }),
                   "an id has no control characters");
  fuzzing::require(peer.cluster_id.size() <= 256 && peer.software.size() <= 256, "what a peer says of itself is short");
  fuzzing::require(greeting.version >= link_version_min && greeting.version <= link_version_max,
                   "both ends speak the version");
}

void check_hello(std::string_view bytes) {
  auto greeting = read_hello(bytes);
  if (!greeting) return fuzzing::require(!greeting.error().message.empty(), "a refusal has a reason");
  check(*greeting);
  auto answer = read_welcome(welcome_frame(greeting->peer, *greeting, {}));
  fuzzing::require(answer && answer->peer.id == greeting->peer.id && answer->version == greeting->version,
                   "a Welcome says what the Hello said");
}

void check_welcome(std::string_view bytes) {
  auto greeting = read_welcome(bytes);
  if (!greeting) return fuzzing::require(!greeting.error().message.empty(), "a refusal has a reason");
  check(*greeting);
  auto again = read_hello(hello_frame(greeting->peer, {}));
  fuzzing::require(again && again->peer.id == greeting->peer.id, "a peer that was welcomed can say Hello");
}

}  // namespace

}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  fuzzing::input in(data, size);
  const bool dialler = in.choose() % 2 == 0;
  if (in.rest().size() > handshake_bytes_max) return 0;
  dialler ? check_hello(in.rest()) : check_welcome(in.rest());
  return 0;
}
