#include "actors/runtime/net/refusals.hpp"

#include <chrono>
#include <utility>

namespace troupe {

std::string_view refusal_name(refusal cause) {
  switch (cause) {
    case refusal::too_many:
      return "too_many";
    case refusal::too_many_of_source:
      return "too_many_of_source";
    case refusal::gave_way:
      return "gave_way";
    case refusal::no_descriptors:
      return "no_descriptors";
    case refusal::tls:
      return "tls";
    case refusal::timeout:
      return "timeout";
    case refusal::malformed:
      return "malformed";
    case refusal::too_large:
      return "too_large";
    case refusal::slow_reader:
      return "slow_reader";
    case refusal::over_budget:
      return "over_budget";
    case refusal::forbidden:
      return "forbidden";
    case refusal::link_handshake:
      return "link_handshake";
    case refusal::link_refused:
      return "link_refused";
    case refusal::link_protocol:
      return "link_protocol";
    case refusal::link_silence:
      return "link_silence";
  }
  return "unknown";
}

void refusals::add(refusal cause, const peer_address& peer, const std::string& why) {
  constexpr std::int64_t second_ns = 1000000000;
  auto& tally = of(cause);
  tally.count.fetch_add(1);
  if (!hear_) return;
  const std::int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
  std::uint64_t untold = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (tally.told_at_ns != 0 && now - tally.told_at_ns < second_ns) {
      ++tally.untold;
      return;
    }
    tally.told_at_ns = now;
    untold = std::exchange(tally.untold, 0);
  }
  hear_(cause, peer.text(), why, untold);
}

}  // namespace troupe
