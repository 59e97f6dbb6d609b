#pragma once

#include "protocol/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace troupe {

/// How long a daemon that could not go on waits before it starts over: twice as long after each short life, up to half
/// a minute. Pure.
class start_over_pause {
 public:
  static constexpr std::chrono::seconds shortest{1}, longest{30};
  /// `lived`: from its start to its failure; nothing when it could not even start.
  std::chrono::seconds after(std::chrono::nanoseconds lived);

 private:
  std::chrono::seconds next_ = shortest;
};

/// A file system's room, in bytes.
struct disk_room {
  std::uint64_t size = 0;
  std::uint64_t free = 0;  ///< for this user
  bool writable = false;
};
std::optional<disk_room> room_of(const std::string& folder);

/// Whether a journal that found the disk full may be tried again: 16 MiB, or an eighth of a small disk, so that it is
/// not full again at once. Pure.
bool has_room(const disk_room& room);

struct start_over_options {
  std::string role;                 ///< "master" or "agent": for logs
  std::string work_dir;             ///< absolute; below it the journal
  std::function<void()> make_room;  ///< called now and then while the daemon waits; may be null
};

/// One life of a daemon: starts it and blocks until its end. `again`: not the first. The exit code, or why it could not
/// start.
using daemon_life = std::function<result<int>(bool again)>;

/// Lives once, and again whenever the journal has failed (exit_journal_failed): in the same process and folders, as
/// soon as there is room, and only where the journal still is; a new one in its place would know of nothing. Says so in
/// one line when it begins to wait, and in one when it goes on. SIGINT and SIGTERM end the waiting with
/// exit_journal_failed. The exit code, or why the first start failed, or a later one failed for another reason.
result<int> live_on(const start_over_options& options, const daemon_life& live);

}  // namespace troupe
