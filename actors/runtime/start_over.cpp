#include "actors/runtime/start_over.hpp"

#include "actors/runtime/process.hpp"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace troupe {

namespace {

using std::chrono::steady_clock;

bool may_pass(const error& e) {
  return e.code == errc::exhausted || e.code == errc::io;
}

enum class woken { by_time, to_end };

/// Takes the signals that the daemon took while it lived.
woken pause_for(std::chrono::seconds pause, const std::string& role) {
  sigset_t awaited;
  sigemptyset(&awaited);
  for (int number : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&awaited, number);
  const auto until = steady_clock::now() + pause;
  for (;;) {
    const auto left = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(until - steady_clock::now()));
    const timespec most{static_cast<time_t>(left.count() / 1'000'000'000),
                        static_cast<long>(left.count() % 1'000'000'000)};
    const int number = ::sigtimedwait(&awaited, nullptr, &most);
    if (number == SIGINT || number == SIGTERM) return woken::to_end;
    if (number == SIGUSR1) spdlog::warn("{}.cannot_leave reason=journal_failed", role);
    if (number < 0 && errno == EAGAIN) return woken::by_time;
  }
}

bool can_be_opened(const std::string& journal) {
  std::error_code failed;
  if (!std::filesystem::exists(journal + "/CURRENT", failed)) return false;
  const auto room = room_of(journal);
  return room && has_room(*room);
}

/// Until the journal can be tried again.
woken wait_for_room(const start_over_options& options, std::chrono::seconds pause) {
  const auto journal = options.work_dir + "/journal";
  do {
    if (pause_for(pause, options.role) == woken::to_end) return woken::to_end;
    if (options.make_room) options.make_room();
    pause = start_over_pause::shortest;
  } while (!can_be_opened(journal));
  return woken::by_time;
}

}  // namespace

std::chrono::seconds start_over_pause::after(std::chrono::nanoseconds lived) {
  if (lived > 2 * longest) next_ = shortest;
  return std::exchange(next_, std::min(longest, 2 * next_));
}

std::optional<disk_room> room_of(const std::string& folder) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0) return std::nullopt;
  disk_room room;
  room.size = std::uint64_t{info.f_frsize} * info.f_blocks;
  room.free = std::uint64_t{info.f_frsize} * info.f_bavail;
  room.writable = (info.f_flag & ST_RDONLY) == 0;
  return room;
}

bool has_room(const disk_room& room) {
  constexpr std::uint64_t plenty = std::uint64_t{16} << 20;
  return room.writable && room.free >= std::min(plenty, room.size / 8);
}

result<int> live_on(const start_over_options& options, const daemon_life& live) {
  start_over_pause pause;
  std::string said;  // why it could not start, last
  for (bool again = false;; again = true) {
    const auto born = steady_clock::now();
    const auto ended = live(again);
    if (ended && *ended != exit_journal_failed) return *ended;
    if (!ended && (!again || !may_pass(ended.error()))) return ended;
    if (ended) {
      said.clear();
      spdlog::warn("{}.waits_for_disk folder={} it goes on by itself once its disk can be written", options.role,
                   options.work_dir);
    } else if (std::exchange(said, ended.error().message) != ended.error().message) {  // the same is said once
      spdlog::warn("{}.cannot_start_over error=\"{}\" it is tried again", options.role, said);
    }
    const auto lived = ended ? steady_clock::now() - born : steady_clock::duration(0);
    if (wait_for_room(options, pause.after(lived)) == woken::to_end) return exit_journal_failed;
    spdlog::info("{}.starts_over folder={}", options.role, options.work_dir);
  }
}

}  // namespace troupe
