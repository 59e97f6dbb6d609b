// Recordings as they were written once are read for ever. README.md describes the files.
#include "storage/recording.hpp"

#include "actors/runtime/recorded_step.hpp"
#include "protocol/message_text.hpp"
#include "tests/unit/replay/recorded_master.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace troupe;

namespace {

const std::filesystem::path first = std::filesystem::path(TROUPE_GOLDEN) / "recordings" / "version-1.recording";

}  // namespace

TEST_CASE("a golden recording is read to its end, and says what it said then") {
  auto recording = recording_reader::open(first.string());
  REQUIRE(recording.has_value());
  const auto& header = (*recording)->header();
  CHECK(to_string(header.actor()) == "master/leader");
  CHECK(header.state().type() == "troupe.internal.MasterState");
  CHECK(header.options().type() == "troupe.internal.MasterOptions");
  std::vector<std::string> events;
  std::size_t letters = 0;
  while (auto step = std::move((*recording)->next()).value()) {
    events.push_back(written(step->head().verb()));
    CHECK(body_of(step->head().verb(), step->head().payload()));
    for (const auto& letter : step->outbox().letters()) CHECK(body_of(letter.verb(), letter.body()));
    letters += static_cast<std::size_t>(step->outbox().letters_size());
  }
  CHECK(events == std::vector<std::string>{"Recovered", "RegisterAgent", "scheduler.Call.Subscribe", "ResourcesOffered",
                                           "scheduler.Call.Accept", "StatusUpdated"});
  CHECK(letters >= events.size());
}

/// Not a test: writes the recording of this release's version if there is none yet. What is there is never changed.
TEST_CASE("write the recording that is missing", "[.write]") {
  if (std::filesystem::exists(first)) return;
  const testing::recorded_master was;
  std::ofstream(first, std::ios::binary) << was.recording();
}
