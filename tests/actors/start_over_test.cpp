#include "actors/runtime/start_over.hpp"

#include "actors/runtime/process.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace troupe;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

start_over_options nowhere() {
  start_over_options options;
  options.role = "agent";
  options.work_dir = "/nowhere/at/all";
  return options;
}

}  // namespace

TEST_CASE("who fails again and again waits twice as long each time, half a minute at most") {
  start_over_pause pause;
  for (int wanted : {1, 2, 4, 8, 16, 30, 30}) CHECK(pause.after(seconds(5)) == seconds(wanted));
}

TEST_CASE("who has lived for long starts over as soon as who never failed") {
  start_over_pause pause;
  for (int i = 0; i < 10; ++i) pause.after(seconds(0));
  CHECK(pause.after(minutes(5)) == seconds(1));
  CHECK(pause.after(seconds(0)) == seconds(2));
}

TEST_CASE("a disk has room with 16 MiB free, a small one with an eighth, a read-only one never") {
  CHECK(has_room({100'000 * mebibyte, 16 * mebibyte, true}));
  CHECK_FALSE(has_room({100'000 * mebibyte, 16 * mebibyte - 1, true}));
  CHECK(has_room({24 * mebibyte, 3 * mebibyte, true}));
  CHECK_FALSE(has_room({24 * mebibyte, 3 * mebibyte - 1, true}));
  CHECK_FALSE(has_room({100 * mebibyte, 100 * mebibyte, false}));
}

TEST_CASE("the room of a folder is its file system's, that of no folder is unknown") {
  const auto room = room_of("/tmp");
  REQUIRE(room);
  CHECK(room->size > 0);
  CHECK(room->free <= room->size);
  CHECK_FALSE(room_of("/nowhere/at/all"));
}

TEST_CASE("a daemon that ends for any other reason than its journal does not live again") {
  int lives = 0;
  const auto code = GENERATE(0, 1, int{exit_gave_up});
  const auto ended = live_on(nowhere(), [&](bool) -> result<int> { return ++lives, code; });
  CHECK(ended.value() == code);
  CHECK(lives == 1);
}

TEST_CASE("a daemon that cannot start for the first time says why at once") {
  const auto ended = live_on(nowhere(), [](bool) -> result<int> {
    return error{errc::exhausted, "The disk is full."};
  });
  REQUIRE_FALSE(ended);
  CHECK(ended.error().message == "The disk is full.");
}

TEST_CASE("a daemon that is told to end while it waits for its disk ends, and says that the journal had failed") {
  process::block_signals();
  int lives = 0;
  const auto ended = live_on(nowhere(), [&](bool again) -> result<int> {
    CHECK_FALSE(again);
    ++lives;
    ::raise(SIGTERM);  // pending until somebody takes it
    return int{exit_journal_failed};
  });
  CHECK(ended.value() == exit_journal_failed);
  CHECK(lives == 1);
}
