#include "tools/emulator/emulated_containerizer.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace troupe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// A containerizer, asked by two executors.
struct lab {
  explicit lab(task_length length) : core(length, 1, figures) {}

  std::shared_ptr<container_figures> figures = std::make_shared<container_figures>();
  emulated_containerizer core;
  context now;
  outbox last;
  const Address one = address(internal::EXECUTOR, "1"), two = address(internal::EXECUTOR, "2");

  void hear(const Address& from, const google::protobuf::Message& body) {
    Envelope head;
    *head.mutable_from() = from;
    last = core.on(head, body, now);
    core.check_invariants();
  }
  void launch(const Address& from, const std::string& id) {
    internal::LaunchContainer request;
    request.mutable_container_id()->set_value(id);
    hear(from, request);
  }
  void signal(const Address& from, const std::string& id, int number) {
    internal::SignalContainer request;
    request.mutable_container_id()->set_value(id);
    request.set_signal(number);
    hear(from, request);
  }
  void pass(std::chrono::nanoseconds time) {
    now.now += time;
    hear(address(internal::RUNTIME, "local"), internal::TimerFired());
  }
  template <class Message>
  std::vector<Message> said(const Address& to) const {
    std::vector<Message> found;
    for (const auto& letter : last.letters)
      if (letter.verb == verb_number<Message>::value && same(letter.to, to))
        found.push_back(static_cast<const Message&>(*letter.body));
    return found;
  }
};

}  // namespace

TEST_CASE("a container is launched at once and exits with 0 when its time has come") {
  lab world({seconds(2), seconds(0)});
  world.launch(world.one, "a");
  REQUIRE(world.said<internal::ContainerLaunched>(world.one).size() == 1);
  CHECK(world.said<internal::ContainerExited>(world.one).empty());
  CHECK(world.last.wake_at == world.now.now + seconds(2));
  world.pass(milliseconds(1999));
  CHECK(world.last.letters.empty());
  world.pass(milliseconds(1));
  const auto exits = world.said<internal::ContainerExited>(world.one);
  REQUIRE(exits.size() == 1);
  CHECK(exits[0].status() == 0);
  CHECK(exits[0].container_id().value() == "a");
  CHECK_FALSE(world.last.wake_at);
}

TEST_CASE("a container of no length ends in the step that launches it") {
  lab world({});
  world.launch(world.one, "a");
  REQUIRE(world.last.letters.size() == 2);
  CHECK(world.last.letters[0].verb == verb_number<internal::ContainerLaunched>::value);
  CHECK(world.last.letters[1].verb == verb_number<internal::ContainerExited>::value);
}

TEST_CASE("a launch that is repeated is answered as the first and starts nothing") {
  lab world({seconds(2), seconds(0)});
  world.launch(world.one, "a");
  const auto first = world.said<internal::ContainerLaunched>(world.one);
  world.launch(world.one, "a");
  const auto again = world.said<internal::ContainerLaunched>(world.one);
  REQUIRE(again.size() == 1);
  CHECK(again[0].pid() == first[0].pid());
  CHECK(world.figures->read().launched == 1);
}

TEST_CASE("a launch that is repeated after the end is answered as the first, with how it ended") {
  lab world({seconds(2), seconds(0)});
  world.launch(world.one, "a");
  const auto first = world.said<internal::ContainerLaunched>(world.one);
  world.signal(world.one, "a", SIGTERM);
  world.launch(world.one, "a");
  const auto again = world.said<internal::ContainerLaunched>(world.one);
  REQUIRE(again.size() == 1);
  CHECK(again[0].launched_at().nanoseconds() == first[0].launched_at().nanoseconds());
  const auto exits = world.said<internal::ContainerExited>(world.one);
  REQUIRE(exits.size() == 1);
  CHECK(exits[0].status() == SIGTERM);
  CHECK(world.figures->read().launched == 1);
  world.signal(world.two, "a", 0);
  CHECK(world.said<internal::ContainerExited>(world.two).at(0).status() == SIGTERM);
}

TEST_CASE("a signal ends a container with that signal, signal 0 only asks for it") {
  lab world({seconds(2), seconds(0)});
  world.launch(world.one, "a");
  world.signal(world.one, "a", 0);
  CHECK(world.last.letters.empty());
  world.signal(world.one, "a", SIGTERM);
  const auto exits = world.said<internal::ContainerExited>(world.one);
  REQUIRE(exits.size() == 1);
  CHECK(exits[0].status() == SIGTERM);
}

TEST_CASE("a destroyed container was killed, and its owner hears of it whoever asked") {
  lab world({seconds(2), seconds(0)});
  world.launch(world.one, "a");
  internal::DestroyContainer destroy;
  destroy.mutable_container_id()->set_value("a");
  world.hear(world.two, destroy);
  const auto exits = world.said<internal::ContainerExited>(world.one);
  REQUIRE(exits.size() == 1);
  CHECK(exits[0].status() == SIGKILL);
  CHECK(world.said<internal::ContainerExited>(world.two).empty());
}

TEST_CASE("who asks about a container that is not there hears that nobody knows how it ended") {
  lab world({seconds(2), seconds(0)});
  for (int number : {0, SIGTERM}) {
    world.signal(world.two, "gone", number);
    const auto exits = world.said<internal::ContainerExited>(world.two);
    REQUIRE(exits.size() == 1);
    CHECK_FALSE(exits[0].has_status());
  }
}

TEST_CASE("what a task had lies idle from its end to the next launch") {
  lab world({seconds(2), seconds(0)});
  world.launch(world.one, "a");
  world.launch(world.two, "b");
  CHECK(world.figures->read().idle.count() == 0);  // nothing was there before them
  world.pass(seconds(2));
  CHECK(world.figures->read().ended == 2);
  world.now.now += milliseconds(30);
  world.launch(world.one, "c");
  world.now.now += milliseconds(30);
  world.launch(world.two, "d");
  const auto counts = world.figures->read();
  CHECK(counts.launched == 4);
  CHECK(counts.idle.count() == 2);
  CHECK(counts.idle.mean() == milliseconds(45));
  CHECK(counts.idle.most() == milliseconds(60));
}
