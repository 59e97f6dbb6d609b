#pragma once

#include "actors/runtime/net/peer_address.hpp"
#include "actors/runtime/net/refusals.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace troupe {

/// How many connections a server holds.
struct place_limits {
  std::size_t all = 16384;                   ///< links included
  std::size_t of_source = 1024;              ///< of one address or user; links do not count
  std::chrono::milliseconds patience{1000};  ///< for so long whoever waits for bytes keeps its place among too many
};

/// A place among a server's connections, held by whatever the connection is at present; its end gives it back.
class connection_place {
 public:
  virtual ~connection_place() = default;
  /// `keep` is kept alive while the place is held; `stop` ends the connection, from any thread: called when the server
  /// stops, at once if it is stopping already, and when the place is needed for somebody else.
  virtual void held_by(std::shared_ptr<void> keep, std::function<void()> stop) = 0;
  /// Nothing is owed to the peer until it says more: its place may be given to others. So it is from the beginning.
  virtual void waits() = 0;
  virtual void is_served() = 0;
  /// It has become a link, keeps its place, and no longer counts for its source.
  virtual void is_link() = 0;
};

/// All connections of a server, so that it can bound them, end them and wait for their end. Thread-safe; held by
/// shared_ptr, which places share.
///
/// Where there are too many, the one that has waited longest for its peer's bytes gives way to the newcomer, if it has
/// waited for long: half-open and idle connections keep nobody out. If none has, the newcomer is turned away.
class connection_places : public std::enable_shared_from_this<connection_places> {
 public:
  /// `open` shows how many there are; `given_way` hears of those that gave way, without the lock. Both outlive it.
  connection_places(place_limits limits, std::atomic<std::uint64_t>& open,
                    std::function<void(const peer_address&)> given_way);

  struct taken {
    std::shared_ptr<connection_place> place;  ///< none: turn it away, for this cause
    refusal cause = refusal::too_many;
  };
  taken take(const peer_address& peer);

  /// Ends all connections, takes none any more, and returns when the last is gone.
  void stop();

 private:
  using id = std::uint64_t;
  using clock = std::chrono::steady_clock;
  struct waiting_mark {
    std::list<id>::iterator among_all, among_source;
    clock::time_point since;
  };
  struct entry {
    peer_address peer;
    std::shared_ptr<void> keep;
    std::function<void()> stop;
    std::optional<waiting_mark> waiting;
    bool counts_for_source = true;
    bool leaves = false;  ///< gave way, and is on its way out
  };
  struct source {
    std::size_t count = 0;
    std::list<id> waiting;  ///< longest first
  };
  struct place;

  // With the lock held:
  bool stands_in_line(const std::list<id>& waiting) const;
  std::function<void()> send_away(const std::list<id>& waiting);
  void begin_waiting(id which, entry& of);
  void end_waiting(entry& of);
  void leave_source(entry& of);

  // Called by places:
  void hold(id which, std::shared_ptr<void> keep, std::function<void()> stop);
  void change(id which, void (connection_places::*how)(id, entry&));
  void make_served(id, entry& of) { end_waiting(of); }
  void make_link(id, entry& of);
  void give_back(id which);

  const place_limits limits_;
  std::atomic<std::uint64_t>& open_;
  const std::function<void(const peer_address&)> given_way_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<id, entry> entries_;
  std::map<peer_address::source_key, source> sources_;
  std::list<id> waiting_;    ///< of all sources, longest first
  std::size_t leaving_ = 0;  ///< of the entries
  id last_ = 0;
  bool stopping_ = false;
};

}  // namespace troupe
