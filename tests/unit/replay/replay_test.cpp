#include "tools/replay/replay.hpp"

#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "tests/unit/replay/recorded_master.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;
using namespace Catch::Matchers;
using internal::RecordedStep;

namespace {

result<replay_report> replay_of(const std::string& bytes) {
  auto reader = recording_reader::of(bytes);
  REQUIRE(reader.has_value());
  return replay(**reader);
}

/// What a replay says of a recording in which the step of one verb was changed.
divergence after(const recorded_master& was, std::uint32_t verb, const std::function<void(RecordedStep&)>& change) {
  auto report = replay_of(was.changed([&](RecordedStep& step) {
    if (step.head().verb() == verb) change(step);
  }));
  REQUIRE(report.has_value());
  REQUIRE(report->first.has_value());
  CHECK(report->first->verb == std::string(verb_name(verb)).substr(std::string("troupe.internal.").size()));
  REQUIRE_FALSE(report->first->differences.empty());
  return *report->first;
}

std::string joined(const outbox_difference& difference) {
  auto all = difference.what;
  for (const auto& line : difference.how) all += "\n" + line;
  return all;
}

template <class Letter>
void change_letter(RecordedStep& step, const std::function<void(Letter&)>& change) {
  for (auto& letter : *step.mutable_outbox()->mutable_letters()) {
    if (letter.verb() != verb_number<Letter>::value) continue;
    Letter body;
    REQUIRE(body.ParsePartialFromString(letter.body()));
    change(body);
    letter.set_body(body.SerializePartialAsString());
    return;
  }
  FAIL("no such letter");
}

constexpr auto registers = verb_number<internal::RegisterAgent>::value;
constexpr auto updates = verb_number<internal::StatusUpdated>::value;

}  // namespace

TEST_CASE("a recording of a master replays identically") {
  const recorded_master was;
  auto report = replay_of(was.recording());
  REQUIRE(report.has_value());
  CHECK_FALSE(report->first.has_value());
  CHECK_FALSE(report->damage.has_value());
  CHECK(report->events == was.events());
  CHECK(report->edits > 0);
  CHECK(report->letters > report->events);
  CHECK(report->recorded == std::chrono::milliseconds(250) * (was.events() - 1));
  CHECK(to_string(report->actor) == "master/leader");
}

TEST_CASE("a letter that differs is named with its field and both values") {
  const recorded_master was;
  const auto first = after(was, updates, [](RecordedStep& step) {
    change_letter<scheduler::Event::Update>(
        step, [](scheduler::Event::Update& update) { update.mutable_status()->set_state(v1::TASK_FAILED); });
  });
  CHECK(first.event == was.events());
  CHECK(to_string(first.from) == "agent/a");
  CHECK(first.frame == was.events() + 1);
  CHECK_THAT(joined(first.differences[0]), Contains("scheduler.Event.Update to framework/f") &&
                                               Contains("status.state") && Contains("TASK_FAILED") &&
                                               Contains("TASK_FINISHED"));
}

TEST_CASE("letters, edits, moments and log lines that are missing or others are named") {
  const recorded_master was;
  const auto swapped = after(
      was, registers, [](RecordedStep& step) { step.mutable_outbox()->mutable_letters(0)->mutable_to()->set_id("b"); });
  CHECK_THAT(joined(swapped.differences[0]), Contains("letter 1") && Contains("recorded: AgentRegistered to agent/b") &&
                                                 Contains("now:      AgentRegistered to agent/a"));
  const auto fewer =
      after(was, registers, [](RecordedStep& step) { step.mutable_outbox()->mutable_letters()->RemoveLast(); });
  CHECK_THAT(joined(fewer.differences[0]), Contains("recorded: none") && Contains("now:      AddAgent"));
  const auto edit = after(was, registers, [](RecordedStep& step) {
    for (auto& each : *step.mutable_outbox()->mutable_edits()) {
      internal::AgentRecord record;
      if (!decode_record(each.record(), record) || !record.has_info()) continue;
      record.mutable_info()->set_hostname("elsewhere");
      each.set_record(encode_record(record));
    }
  });
  CHECK_THAT(joined(edit.differences[0]),
             Contains("edit ") && Contains("put master/agent/") && Contains("hostname") && Contains("elsewhere"));
  const auto moment = after(was, registers, [](RecordedStep& step) { step.mutable_outbox()->set_wake_at_ns(5); });
  CHECK_THAT(joined(moment.differences[0]), Contains("wake_at") && Contains("recorded: 5 ns"));
  const auto line =
      after(was, registers, [](RecordedStep& step) { step.mutable_outbox()->add_log("something.else happened=yes"); });
  CHECK_THAT(joined(line.differences[0]), Contains("log line") && Contains("something.else"));
}

TEST_CASE("an event that was another one, or at another time, is found by what follows from it") {
  const recorded_master was;
  const auto later = after(was, registers,
                           [](RecordedStep& step) { step.mutable_context()->set_now_ns(step.context().now_ns() + 1); });
  CHECK_THAT(joined(later.differences[0]), Contains("wake_at"));
}

TEST_CASE("a step that threw when it was recorded must throw again") {
  const recorded_master was;
  const auto threw = after(was, updates, [](RecordedStep& step) {
    step.mutable_outbox()->Clear();
    step.set_failure("task t1 is in no index");
  });
  CHECK_THAT(joined(threw.differences[0]), Contains("it threw: task t1 is in no index") && Contains("an outbox"));
}

TEST_CASE("damage ends a replay, which says up to where it was identical") {
  const recorded_master was;
  auto bytes = was.recording();
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 16);
  auto report = replay_of(bytes);
  REQUIRE(report.has_value());
  CHECK_FALSE(report->first.has_value());
  REQUIRE(report->damage.has_value());
  CHECK_THAT(report->damage->message, Contains("frame " + std::to_string(was.events() + 1)));
  CHECK(report->events == was.events() - 1);
}

TEST_CASE("a recording of no core of ours is refused by the name of its state") {
  std::string bytes;
  auto writer = recording_writer::into(bytes);
  internal::RecordingHeader header;
  *header.mutable_actor() = address(internal::FRAMEWORK, "f");
  REQUIRE(writer->begin(header, internal::Recovered(), nullptr));
  auto report = replay_of(bytes);
  REQUIRE_FALSE(report.has_value());
  CHECK(report.error().code == errc::invalid_argument);
  CHECK_THAT(report.error().message, Contains("framework/f") && Contains("troupe.internal.Recovered"));
}
