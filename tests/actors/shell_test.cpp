#include "tests/actors/shell_world.hpp"
#include "troupe/internal/records.pb.h"

#include <catch2/catch.hpp>

using namespace troupe;
using numbers = std::vector<std::uint64_t>;

TEST_CASE("a shell recovers from its records before it hears anything") {
  shell_world world;
  internal::CounterRecord counter;
  counter.set_next(41);
  world.stored[keys::path({"echo", "old"})] = encode_record(counter);
  world.start();
  view seen;
  world.desk->ask("", [&](const view& found) { seen = found; });
  world.run();
  REQUIRE(seen);
  CHECK(dynamic_cast<const internal::CounterRecord&>(*seen).next() == 41);
}

TEST_CASE("what was sent before the shell has recovered waits for it") {
  shell_world world;
  world.answer_at_once = false;
  world.start();
  REQUIRE(world.commits_waiting() == 1);  // its raised incarnation
  world.ping(1);
  world.run();
  CHECK(world.commits_waiting() == 1);
  world.commit_succeeds();
  world.run();
  CHECK(world.commits_waiting() == 1);  // the ping's record
  CHECK(world.heard.empty());
}

TEST_CASE("a letter leaves only after its own edits and all earlier ones are durable") {
  shell_world world;
  world.start();
  world.answer_at_once = false;
  world.ping(1);
  world.ping(2);
  world.run();
  CHECK(world.commits_waiting() == 2);  // pipelined, not one after the other
  CHECK(world.heard.empty());
  world.commit_succeeds();
  world.run();
  CHECK(world.heard == numbers{1});
  world.commit_succeeds();
  world.run();
  CHECK(world.heard == numbers{1, 2});
}

TEST_CASE("a failed commit drops what is held, and the shell starts again from the store") {
  shell_world world;
  world.start();
  world.answer_at_once = false;
  world.ping(1);
  world.ping(2);
  world.run();
  world.commit_succeeds();
  world.run();
  world.answer_at_once = true;
  world.commit_fails();
  world.run();
  CHECK(world.heard == numbers{1});
  world.ping(3);
  world.run();
  CHECK(world.heard == numbers{1, 3});
  CHECK(world.board.of("master/echo")->incarnation.load() == 2);
}

TEST_CASE("an exception in a core restarts its shell with a higher incarnation and what was durable") {
  shell_world world;
  world.start();
  world.ping(7);
  world.run();
  world.ping(13);
  world.run();
  CHECK(world.heard == numbers{7});
  CHECK(world.board.of("master/echo")->incarnation.load() == 2);
  CHECK(world.board.of("master/echo")->depth() == 0);
  world.ping(8);
  world.run();
  CHECK(world.heard == numbers{7, 8});
  CHECK(world.heads.back().incarnation() == 2);
}

TEST_CASE("an actor that fails too often is given up with a message") {
  shell_world world;
  world.start();
  for (int i = 0; i < 5; ++i) {
    world.ping(13);
    world.run();
  }
  CHECK(world.gave_up.empty());
  world.ping(13);
  world.run();
  REQUIRE(world.gave_up.size() == 1);
  CHECK(world.gave_up[0].find("echo failed more than 5 times") != std::string::npos);
}

TEST_CASE("a timer fires once, at the moment of the last wish") {
  shell_world world;
  world.start();
  world.ping(500, true);
  world.run();
  world.ping(200, true);  // earlier
  world.run();
  world.heard.clear();
  world.advance(std::chrono::milliseconds(199));
  CHECK(world.heard.empty());
  world.advance(std::chrono::milliseconds(1));
  CHECK(world.heard == numbers{0});
  world.advance(std::chrono::milliseconds(1000));
  CHECK(world.heard == numbers{0});
}

TEST_CASE("a wish for later keeps the armed timer, which then arms the next") {
  shell_world world;
  world.start();
  world.ping(200, true);
  world.run();
  world.ping(500, true);
  world.run();
  world.heard.clear();
  world.advance(std::chrono::milliseconds(200));
  CHECK(world.heard.empty());
  world.advance(std::chrono::milliseconds(300));
  CHECK(world.heard == numbers{0});
}

TEST_CASE("a view is never older than the question, and made at most ten times a second") {
  shell_world world;
  world.start();
  std::vector<view> seen;
  const auto ask = [&] {
    world.desk->ask("", [&](const view& found) { seen.push_back(found); });
    world.run();
  };
  const auto number = [&](std::size_t which) {
    return dynamic_cast<const internal::CounterRecord&>(*seen.at(which)).next();
  };
  ask();
  ask();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0] == seen[1]);  // nothing has happened: the same picture
  world.ping(1);
  world.run();
  ask();
  world.ping(2);
  world.run();
  ask();
  CHECK(seen.size() == 2);
  world.advance(std::chrono::milliseconds(100));
  REQUIRE(seen.size() == 4);
  CHECK(seen[2] == seen[3]);
  CHECK(number(3) == 2);
  world.ping(3);
  world.run();
  world.advance(std::chrono::milliseconds(100));
  ask();
  REQUIRE(seen.size() == 5);  // at once: the last is old enough
  CHECK(number(4) == 3);
}

TEST_CASE("a view shows nothing that is not durable") {
  shell_world world;
  world.start();
  world.answer_at_once = false;
  world.ping(5);
  world.run();
  view seen;
  world.desk->ask("", [&](const view& found) { seen = found; });
  world.run();
  CHECK_FALSE(seen);
  world.commit_succeeds();
  world.run();
  REQUIRE(seen);
  CHECK(dynamic_cast<const internal::CounterRecord&>(*seen).next() == 5);
}

TEST_CASE("letters carry the trace of what caused them, and a sequence without gaps") {
  shell_world world;
  world.start();
  world.ping(1);
  world.ping(2);
  world.run();
  REQUIRE(world.heads.size() == 2);
  CHECK(world.heads[0].trace() == 1001);
  CHECK(world.heads[1].trace() == 1002);
  CHECK(world.heads[1].sequence() == world.heads[0].sequence() + 1);
  auto events = world.ring->events();
  REQUIRE(events.size() == 3);  // Recovered and two pings
  CHECK(world.heads[1].cause() == events[2].id);
  CHECK(events[2].letters == 1);
  CHECK(std::string(events[2].to) == "master/echo");
}
