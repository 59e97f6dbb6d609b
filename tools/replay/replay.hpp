#pragma once

#include "protocol/address.hpp"
#include "storage/recording.hpp"
#include "tools/replay/outbox_difference.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// The first step of a recording that goes otherwise now.
struct divergence {
  std::uint64_t event = 0;  ///< its number in the recording, from 1
  std::uint64_t frame = 0;  ///< the frame it stands in, and where that begins
  std::uint64_t offset = 0;
  std::string verb;
  Address from;
  std::vector<outbox_difference> differences;
};

/// What became of a replay.
struct replay_report {
  Address actor;
  std::uint64_t incarnation = 0;
  std::string software;  ///< what recorded it
  std::uint64_t events = 0;
  std::uint64_t letters = 0;
  std::uint64_t edits = 0;
  std::chrono::nanoseconds recorded{0};  ///< from the first event to the last
  recording_tail tail = recording_tail::open;
  std::optional<divergence> first;  ///< absent: what was replayed was identical
  std::optional<error> damage;      ///< why it was not replayed to its end
};

/// Feeds every event of the recording to the production core of its actor, in the state it had, and compares what it
/// decides with what was recorded, byte for byte, up to the first difference. The reader must not have been read from.
/// Errors: this program has no such core, or the state cannot be read.
result<replay_report> replay(recording_reader& recording);

}  // namespace troupe
