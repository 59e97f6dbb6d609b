#include "tools/trace/task_story.hpp"

#include "actors/runtime/recorded_step.hpp"
#include "tests/unit/replay/recorded_master.hpp"
#include "tests/unit/storage/scratch_folder.hpp"
#include "tools/trace/mentions.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace troupe;
using namespace troupe::testing;

namespace {

std::string put(const test::scratch_folder& folder, const std::string& name, const std::string& bytes) {
  const auto path = (folder / name).string();
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::vector<std::string> short_lines(const task_story& story) {
  std::vector<std::string> lines;
  for (const auto& line : story.lines)
    if (line.is != story_line::kind::notes)
      lines.push_back(line.actor + " " + to_string(line.is) + " " + line.verb + " " + line.other);
  return lines;
}

/// One actor's recording, step by step.
class diary {
 public:
  explicit diary(const Address& actor) : actor_(actor), writer_(recording_writer::into(bytes_)) {
    internal::RecordingHeader header;
    *header.mutable_actor() = actor;
    REQUIRE(writer_->begin(header, internal::Recovered(), nullptr));
  }
  /// The step of `event`, which `cause` led to, at so many nanoseconds.
  void add(std::uint64_t event, const Address& from, std::uint64_t cause, std::uint64_t sequence,
           const google::protobuf::Message& body, std::int64_t at, std::vector<letter> letters) {
    Envelope head;
    *head.mutable_from() = from;
    *head.mutable_to() = actor_;
    head.set_cause(cause);
    head.set_sequence(sequence);
    head.set_verb(verb_of(body));
    context now;
    now.wall_now = wall_time(std::chrono::nanoseconds(at));
    outbox out;
    out.letters = std::move(letters);
    REQUIRE(writer_->add(recorded_step(event, head, body, now, out)));
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Address actor_;
  std::string bytes_;
  std::unique_ptr<recording_writer> writer_;
};

template <class Message>
letter to(const Address& whom, const Message& message) {
  return {whom, verb_number<Message>::value, std::make_shared<const Message>(message)};
}

executor_api::Event::Launch launch(const std::string& task) {
  executor_api::Event::Launch message;
  message.mutable_task()->mutable_task_id()->set_value(task);
  return message;
}

}  // namespace

TEST_CASE("a message is searched for tasks to its last corner") {
  scheduler::Call::Accept call;
  CHECK(mentions(call, "t1") == task_mention::none);
  auto* operation = call.add_operations();
  operation->mutable_launch()->add_task_infos()->mutable_task_id()->set_value("t2");
  CHECK(mentions(call, "t1") == task_mention::others);
  operation->mutable_launch()->add_task_infos()->mutable_task_id()->set_value("t1");
  CHECK(mentions(call, "t1") == task_mention::ours);
  CHECK(mentions(call, "t") == task_mention::others);
}

TEST_CASE("a master's recording tells of a task from its launch to its end") {
  const test::scratch_folder folder;
  const recorded_master was;
  const auto story = story_of("t1", {put(folder, "m.recording", was.recording())});
  REQUIRE(story.has_value());
  CHECK(story->shortcomings.empty());
  const auto lines = short_lines(*story);
  const std::vector<std::string> expected{
      "master/leader hears scheduler.Call.Accept framework/f", "master/leader says RunTask agent/a",
      "master/leader hears StatusUpdated agent/a", "master/leader says scheduler.Event.Update framework/f"};
  std::size_t found = 0;
  for (const auto& line : lines)
    if (found < expected.size() && line == expected[found]) ++found;
  INFO(Catch::Detail::stringify(lines));
  CHECK(found == expected.size());
  CHECK(story_of("t", {(folder / "m.recording").string()})->lines.empty());
}

TEST_CASE(
    "several recordings make one story: a letter that is heard is told once, and what a task set off belongs to it") {
  const test::scratch_folder folder;
  const auto agent = address(internal::AGENT, "a");
  const auto executor = address(internal::EXECUTOR, "e");
  const auto containers = address(internal::CONTAINERIZER, "local");
  internal::LaunchContainer start;
  start.mutable_container_id()->set_value("c");
  internal::ContainerLaunched started;
  started.set_pid(42);
  executor_api::Call::Update running;
  running.mutable_status()->mutable_task_id()->set_value("t1");
  internal::RunTask run;
  run.mutable_task()->mutable_task_id()->set_value("t1");

  diary of_agent(agent);
  of_agent.add(11, leader(), 5, 1, run, 1000, {to(executor, launch("t1")), to(executor, launch("t2"))});
  of_agent.add(12, executor, 23, 3, running, 4000, {});
  diary of_executor(executor);
  of_executor.add(21, agent, 11, 1, launch("t1"), 2000, {to(containers, start)});
  of_executor.add(22, agent, 11, 2, launch("t2"), 2100, {to(containers, start)});
  // The containerizer counts letters of its own: its first is not the executor's first.
  of_executor.add(23, containers, 21, 1, started, 3000, {to(agent, running)});

  const auto story =
      story_of("t1", {put(folder, "e.recording", of_executor.bytes()), put(folder, "a.recording", of_agent.bytes())});
  REQUIRE(story.has_value());
  CHECK(short_lines(*story) == std::vector<std::string>{"agent/a hears RunTask master/leader",
                                                        "executor/e hears executor.Event.Launch agent/a",
                                                        "executor/e says LaunchContainer containerizer/local",
                                                        "executor/e hears ContainerLaunched containerizer/local",
                                                        "agent/a hears executor.Call.Update executor/e"});
  CHECK(story->lines[1].cause == 11);
  CHECK(story->lines[3].leaves == std::vector<leaf>{{"pid", "42"}});

  const auto alone = story_of("t1", {(folder / "a.recording").string()});
  REQUIRE(alone.has_value());
  CHECK(short_lines(*alone).at(1) == "agent/a says executor.Event.Launch executor/e");
}

TEST_CASE("a damaged recording tells what it can, and that it is not all") {
  const test::scratch_folder folder;
  const recorded_master was;
  auto bytes = was.recording();
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 16);
  const auto story = story_of("t1", {put(folder, "m.recording", bytes)});
  REQUIRE(story.has_value());
  CHECK(story->shortcomings.size() == 1);
  CHECK_FALSE(story->lines.empty());
}
