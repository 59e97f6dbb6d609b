#pragma once

#include "actors/runtime/moments.hpp"
#include "actors/runtime/step.hpp"
#include "troupe/internal/agent_state.pb.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace troupe {

/// Where an agent stands with its master.
///
///     SEEKING ─ answered ─► REGISTERED ─ link lost, no ping, or pinged as unconnected ─► SEEKING
///        either ─ refused with an order to shut down ─► DISMISSED
///        either ─ told by its own process to leave for good ─► LEAVING
///     MISCONFIGURED from its start on: its configuration contradicts its records, and it does nothing.
class registration {
 public:
  using phase = internal::AgentState::Registration::Phase;

  /// Bounds of the random waits before attempts: [0, first * 2^n], at most longest.
  struct backoff {
    std::chrono::nanoseconds first;
    std::chrono::nanoseconds longest;
  };

  bool registered() const { return state_.phase() == internal::AgentState::Registration::REGISTERED; }
  /// By the master, or by its own process: it ends everything and takes nothing any more.
  bool dismissed() const { return state_.phase() == internal::AgentState::Registration::DISMISSED || leaving(); }
  bool leaving() const { return state_.phase() == internal::AgentState::Registration::LEAVING; }
  bool misconfigured() const { return state_.phase() == internal::AgentState::Registration::MISCONFIGURED; }
  const std::string& refusal() const { return state_.refusal(); }
  std::uint32_t attempts() const { return state_.attempts(); }

  /// Looks for a master from now on, with the first, shortest wait. Not once dismissed.
  void seek(monotonic_time now, random_stream& random, const backoff& waits);
  /// There is a link to a master, which is sought. A master that was away is asked by all its agents at once, hence the
  /// random wait; who has not been registered since its own start comes alone, and asks now.
  void linked(monotonic_time now);
  /// An attempt has been made; the next follows unless it is answered.
  void attempted(monotonic_time now, random_stream& random, const backoff& waits);
  void accepted(monotonic_time now, std::chrono::nanoseconds ping_timeout);
  void refused(const std::string& reason, monotonic_time now, const backoff& waits);
  void dismiss(const std::string& reason);
  void misconfigure(const std::string& reason);
  /// Nobody answers a farewell; until then it may be on its way.
  void leave(monotonic_time farewell_until);
  void farewell_is_over() { state_.clear_farewell_until_ns(); }
  /// The master has been heard of.
  void pinged(monotonic_time now);

  moment next_attempt() const;
  moment ping_deadline() const;
  moment farewell_until() const;

  const internal::AgentState::Registration& save() const { return state_; }
  static registration load(const internal::AgentState::Registration& in);

 private:
  void wait(monotonic_time now, random_stream& random, const backoff& waits);

  internal::AgentState::Registration state_;
};

}  // namespace troupe
