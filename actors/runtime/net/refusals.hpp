#pragma once

#include "actors/runtime/net/peer_address.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace troupe {

/// Why a server turned somebody away, or ended a connection for cause.
enum class refusal {
  too_many,            ///< all places are taken
  too_many_of_source,  ///< all that one address, or one user, may take
  gave_way,            ///< had said nothing for long when others needed the place
  no_descriptors,      ///< the process has no descriptor left for it
  tls,                 ///< no TLS, or not in time, or no certificate that is accepted
  timeout,             ///< no request, or not all of it, in time
  malformed,           ///< not HTTP
  too_large,           ///< a head or a body beyond its limit
  slow_reader,         ///< took its answer, or the letters of its link, too slowly
  over_budget,         ///< unfinished input, or unread answers, of all together are as much as may be
  forbidden,           ///< a link from a browser, or without a certificate
  link_handshake,      ///< no sound greeting, or none in time
  link_refused,        ///< a sound greeting of somebody who is not admitted
  link_protocol,       ///< broke the rules of an established link
  link_silence,        ///< an established link on which nothing came
};
constexpr std::size_t refusals_known = static_cast<std::size_t>(refusal::link_silence) + 1;

/// As metrics and log lines call it: "too_many".
std::string_view refusal_name(refusal cause);

/// Counts refusals and tells of them, of each cause at most once a second: a flood must not fill the disk. Thread-safe.
class refusals {
 public:
  /// `untold`: so many of this cause were held back since the last one that was told.
  using hearer =
      std::function<void(refusal cause, const std::string& peer, const std::string& why, std::uint64_t untold)>;

  explicit refusals(hearer hear = nullptr) : hear_(std::move(hear)) {}

  void add(refusal cause, const peer_address& peer, const std::string& why);
  std::uint64_t count(refusal cause) const { return of(cause).count.load(); }

 private:
  struct tally {
    std::atomic<std::uint64_t> count{0};
    std::uint64_t untold = 0;
    std::int64_t told_at_ns = 0;  ///< monotonic; 0: never
  };
  tally& of(refusal cause) { return tallies_[static_cast<std::size_t>(cause)]; }
  const tally& of(refusal cause) const { return tallies_[static_cast<std::size_t>(cause)]; }

  const hearer hear_;
  std::mutex mutex_;  ///< of what is told
  std::array<tally, refusals_known> tallies_;
};

}  // namespace troupe
