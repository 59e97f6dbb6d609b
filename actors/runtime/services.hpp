#pragma once

#include "actors/runtime/directory.hpp"
#include "actors/runtime/event_ring.hpp"
#include "actors/runtime/recorder.hpp"
#include "actors/runtime/step.hpp"
#include "storage/journal_actor.hpp"

#include <atomic>
#include <cstdint>
#include <random>

namespace troupe {

/// What every shell of a process shares. Outlives all its actors.
struct services {
  services(directory& names, status_board& board, event_ring& ring, journal_actor journal)
      : names(names), board(board), ring(ring), journal(std::move(journal)) {}

  directory& names;
  status_board& board;
  event_ring& ring;
  journal_actor journal;
  /// Where shells that start from now on are recorded; null: nowhere. Outlives them.
  const recording_folder* recordings = nullptr;

  /// Fresh randomness for a step or an id. Thread-safe. Tests seed it.
  std::uint64_t draw() { return random_stream(seed_.fetch_add(0x9e3779b97f4a7c15u)).next(); }
  void seed(std::uint64_t value) { seed_.store(value); }

 private:
  std::atomic<std::uint64_t> seed_{(std::uint64_t{std::random_device{}()} << 32) | std::random_device{}()};
};

}  // namespace troupe
