#include "storage/recording.hpp"

#include "storage/checksum.hpp"
#include "tests/unit/storage/scratch_folder.hpp"
#include "troupe/internal/records.pb.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

using namespace troupe;
using namespace Catch::Matchers;
using internal::RecordedStep;
using internal::RecordingEnd;
using internal::RecordingHeader;

namespace {

constexpr std::size_t head_bytes = 16;

RecordedStep step_of(std::uint64_t event) {
  RecordedStep step;
  step.set_event(event);
  step.mutable_head()->set_payload("the body of event " + std::to_string(event));
  step.mutable_context()->set_wall_now_ns(1000 + static_cast<std::int64_t>(event));
  step.mutable_outbox()->add_log("line");
  return step;
}

internal::CounterRecord state() {
  internal::CounterRecord counter;
  counter.set_next(7);
  return counter;
}

void begin(recording_writer& writer) {
  RecordingHeader header;
  header.mutable_actor()->set_role(internal::MASTER);
  header.mutable_actor()->set_id("leader");
  header.set_incarnation(3);
  REQUIRE(writer.begin(header, state(), nullptr));
}

/// A recording of so many steps, not ended, and where its frames begin and end.
struct sample {
  explicit sample(unsigned steps) {
    auto writer = recording_writer::into(bytes);
    begin(*writer);
    ends.push_back(bytes.size());
    for (unsigned i = 1; i <= steps; ++i) {
      REQUIRE(writer->add(step_of(i)));
      ends.push_back(bytes.size());
    }
  }
  std::string bytes;
  std::vector<std::size_t> ends;  ///< of the header, then of each step
};

/// What can be read, and what came instead of more.
struct reading {
  explicit reading(const std::string& bytes) {
    auto reader = recording_reader::of(bytes);
    if (!reader) {
      failure = reader.error();
      return;
    }
    while (true) {
      auto step = (*reader)->next();
      if (!step) {
        failure = step.error();
        CHECK((*reader)->next().error().message == failure->message);  // and nothing after it
        return;
      }
      if (!*step) break;
      events.push_back((*step)->event());
    }
    tail = (*reader)->tail();
  }
  std::vector<std::uint64_t> events;
  std::optional<error> failure;
  recording_tail tail = recording_tail::open;
};

using numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a recording reads back as it was written") {
  const test::scratch_folder folder;
  const auto path = (folder / "one.recording").string();
  {
    auto writer = recording_writer::create(path);
    REQUIRE(writer.has_value());
    begin(**writer);
    REQUIRE((*writer)->add(step_of(1)));
    REQUIRE((*writer)->add(step_of(2)));
    CHECK((*writer)->steps() == 2);
    REQUIRE((*writer)->end(RecordingEnd::CLOSED, 99));
    CHECK_FALSE((*writer)->add(step_of(3)));
  }
  auto reader = recording_reader::open(path);
  REQUIRE(reader.has_value());
  const auto& header = (*reader)->header();
  CHECK(header.actor().id() == "leader");
  CHECK(header.state().type() == "troupe.internal.CounterRecord");
  CHECK(header.state().bytes() == state().SerializeAsString());
  CHECK_FALSE(header.has_options());
  for (std::uint64_t event : {1, 2}) {
    auto step = (*reader)->next();
    REQUIRE(step.has_value());
    REQUIRE(step->has_value());
    CHECK((*step)->SerializeAsString() == step_of(event).SerializeAsString());
  }
  CHECK_FALSE((*reader)->next()->has_value());
  CHECK((*reader)->tail() == recording_tail::closed);
}

TEST_CASE("a recording is its user's alone, and none is written over") {
  const test::scratch_folder folder;
  const auto path = (folder / "one.recording").string();
  const auto mask = ::umask(0);
  auto writer = recording_writer::create(path);
  ::umask(mask);
  REQUIRE(writer.has_value());
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  auto second = recording_writer::create(path);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == errc::conflict);
  CHECK_THAT(second.error().message, Contains(path));
}

TEST_CASE("a recording that is cut off anywhere reads up to there, and says so") {
  const sample whole(3);
  for (std::size_t size = 0; size < whole.bytes.size(); ++size) {
    CAPTURE(size);
    const reading read(whole.bytes.substr(0, size));
    if (size < whole.ends[0]) {
      REQUIRE(read.failure.has_value());  // whose it is, it does not say
      CHECK(read.failure->code == errc::corrupt);
      continue;
    }
    CHECK_FALSE(read.failure.has_value());
    std::size_t steps = 0;
    while (steps < 3 && whole.ends[steps + 1] <= size) ++steps;
    CHECK(read.events.size() == steps);
    CHECK(read.tail == (size == whole.ends[steps] ? recording_tail::open : recording_tail::torn));
  }
}

TEST_CASE("zeros behind the last frame, as a power cut leaves them, are no frame and no damage") {
  const sample whole(2);
  for (std::size_t zeros : {1, 12, 5000}) {
    const reading read(whole.bytes + std::string(zeros, '\0'));
    CHECK_FALSE(read.failure.has_value());
    CHECK(read.events == numbers{1, 2});
    CHECK(read.tail == recording_tail::torn);
  }
}

TEST_CASE("a flipped bit anywhere is found, and its frame is named by number and offset") {
  const sample whole(3);
  for (std::size_t at = 0; at < whole.bytes.size(); ++at) {
    for (int bit : {0, 3, 7}) {
      auto bytes = whole.bytes;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      CAPTURE(at, bit);
      const reading read(bytes);
      REQUIRE(read.failure.has_value());
      CHECK(read.failure->code == errc::corrupt);
      if (at < head_bytes) continue;
      std::size_t frame = 0;
      while (whole.ends[frame] <= at) ++frame;
      const auto begins = frame == 0 ? head_bytes : whole.ends[frame - 1];
      CHECK_THAT(read.failure->message,
                 Contains("frame " + std::to_string(frame + 1) + " at offset " + std::to_string(begins)));
      CHECK(read.events.size() == (frame == 0 ? 0 : frame - 1));
    }
  }
}

TEST_CASE("a frame that was left out or moved is found") {
  const sample whole(3);
  const auto frame = [&](std::size_t n) {
    return whole.bytes.substr(whole.ends[n - 1], whole.ends[n] - whole.ends[n - 1]);
  };
  const auto header = whole.bytes.substr(0, whole.ends[0]);
  const reading gap(header + frame(1) + frame(3));
  REQUIRE(gap.failure.has_value());
  CHECK(gap.events == numbers{1});
  const reading twice(header + frame(1) + frame(1));
  REQUIRE(twice.failure.has_value());
  CHECK_THAT(twice.failure->message, Contains("frame 3 "));
}

TEST_CASE("a recording of a newer release is refused, naming both versions") {
  sample whole(1);
  std::string head = whole.bytes.substr(0, 12);
  head[8] = 2;
  whole.bytes.replace(0, head_bytes, head + checksum({head}));
  const reading read(whole.bytes);
  REQUIRE(read.failure.has_value());
  CHECK(read.failure->code == errc::invalid_argument);
  CHECK_THAT(read.failure->message, Contains("version 2") && Contains("reads version 1"));
}

TEST_CASE("what is no recording is told so") {
  const test::scratch_folder folder;
  CHECK_THAT(reading("").failure->message, Contains("no recording"));
  CHECK_THAT(reading("# a text file, and none of ours").failure->message, Contains("no recording"));
  auto absent = recording_reader::open((folder / "absent").string());
  REQUIRE_FALSE(absent.has_value());
  CHECK(absent.error().code == errc::not_found);
  auto itself = recording_reader::open(folder.path().string());
  REQUIRE_FALSE(itself.has_value());
  CHECK_THAT(itself.error().message, Contains("is a folder"));
}

TEST_CASE("a recording ends at its limit with a frame that says so") {
  for (std::uint64_t limit : {300, 301, 340, 400}) {
    CAPTURE(limit);
    std::string bytes;
    recording_limits limits;
    limits.file_bytes_max = limit;
    auto writer = recording_writer::into(bytes, limits);
    begin(*writer);
    std::uint64_t added = 0;
    auto last = writer->add(step_of(1));
    for (; last; last = writer->add(step_of(++added + 1))) {
    }
    CHECK(last.error().code == errc::exhausted);
    CHECK_FALSE(writer->add(step_of(100)));
    CHECK(bytes.size() <= limit);
    const reading read(bytes);
    CHECK_FALSE(read.failure.has_value());
    CHECK(read.events.size() == added);
    CHECK(read.tail == recording_tail::size_limit);
  }
}

TEST_CASE("a state that is larger than the limit begins no recording") {
  std::string bytes;
  recording_limits limits;
  limits.file_bytes_max = 40;
  auto writer = recording_writer::into(bytes, limits);
  auto begun = writer->begin(RecordingHeader(), state(), nullptr);
  REQUIRE_FALSE(begun);
  CHECK(begun.error().code == errc::exhausted);
}
