#pragma once

#include <atomic>
#include <cstdint>

namespace troupe {

/// What all links of a process have carried and lost, for metrics. Shared by the links and the hub above them.
struct link_counters {
  using count = std::atomic<std::uint64_t>;

  count opened{0}, closed{0};
  count frames_sent{0}, frames_received{0};
  count envelopes_sent{0}, envelopes_received{0};
  count bytes_sent{0}, bytes_received{0};  ///< of envelopes
  count heartbeats_received{0};

  // Why a connection did not become a link, or ceased to be one.
  count handshakes_refused{0};
  count handshakes_failed{0};  ///< garbage, or none in time
  count closed_slow_reader{0}, closed_silence{0}, closed_protocol{0}, closed_replaced{0};

  // Letters that were dropped, by cause.
  count dropped_oversize{0};     ///< larger than a frame may be
  count dropped_unsent{0};       ///< the link was closed or closing
  count dropped_not_allowed{0};  ///< the peer's role may not say that verb to that receiver
  count dropped_unknown_verb{0};
  count dropped_spoofed{0};        ///< said to come from somebody else than the peer
  count dropped_malformed{0};      ///< the payload is not what its verb says
  count dropped_undeliverable{0};  ///< nobody at that address
  count dropped_late{0};           ///< from a link that was replaced
};

}  // namespace troupe
