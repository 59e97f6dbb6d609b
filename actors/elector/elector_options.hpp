#pragma once

#include "protocol/address.hpp"
#include "troupe/internal/election.pb.h"

#include <chrono>
#include <optional>
#include <string>

namespace troupe {

/// What an elector is made with.
struct elector_options {
  /// Who is to lead. Absent: it only finds out who does.
  std::optional<internal::Candidate> candidate;

  /// The path below which the masters of this cluster meet.
  std::string root = "/troupe";

  /// Asked for; the service has the last word.
  std::chrono::milliseconds session_timeout = std::chrono::seconds(10);
  /// How much sooner than the session's timeout a leader that is out of touch stops: what clocks and the service's
  /// ticks may be off by. Never more than half of the timeout that the service gave.
  std::chrono::nanoseconds margin = std::chrono::seconds(2);
  /// A leader that has heard nothing for this long asks; never more than a fifth of the timeout that the service gave.
  std::chrono::nanoseconds touch_interval = std::chrono::seconds(2);
  /// Before it asks for the session again: after a lost request, and while there is no session.
  std::chrono::nanoseconds retry = std::chrono::seconds(1);

  /// Who hears StartedLeading, StoppedLeading and LeaderChanged.
  Address process = address(internal::RUNTIME, "local");
};

}  // namespace troupe
