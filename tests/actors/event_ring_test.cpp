#include "actors/runtime/event_ring.hpp"

#include <catch2/catch.hpp>

#include <stdlib.h>

#include <filesystem>

using namespace troupe;

namespace {

struct temporary_folder {
  temporary_folder() {
    char name[] = "/tmp/troupe-ring.XXXXXX";
    path = ::mkdtemp(name);
  }
  ~temporary_folder() { std::filesystem::remove_all(path); }
  std::string path;
};

Envelope envelope(std::uint64_t trace) {
  Envelope head;
  *head.mutable_from() = address(internal::AGENT, std::string(100, 'x'));
  *head.mutable_to() = leader();
  head.set_trace(trace);
  head.set_verb(10);
  return head;
}

}  // namespace

TEST_CASE("a ring keeps the last events, oldest first") {
  auto ring = std::move(event_ring::open("", 16 * sizeof(ring_event)).value());
  for (std::uint64_t i = 1; i <= 20; ++i) ring->record(envelope(i), ring->next_id(), 5, 1);
  auto events = ring->events();
  REQUIRE(events.size() == 16);
  CHECK(events.front().trace == 5);
  CHECK(events.back().trace == 20);
}

TEST_CASE("a ring's file is read by another process, and the previous run's is kept") {
  temporary_folder folder;
  auto path = folder.path + "/ring";
  {
    auto ring = std::move(event_ring::open(path, 1 << 12).value());
    ring->record(envelope(1), ring->next_id(), 5, 0);
  }
  auto ring = std::move(event_ring::open(path, 1 << 12).value());
  ring->record(envelope(2), ring->next_id(), 6, 3);
  auto now = event_ring::read(path).value();
  REQUIRE(now.size() == 1);
  CHECK(now[0].trace == 2);
  CHECK(now[0].letters == 3);
  auto before = event_ring::read(path + ".previous").value();
  REQUIRE(before.size() == 1);
  CHECK(before[0].trace == 1);
}

TEST_CASE("addresses that do not fit a slot are cut, not spilled") {
  auto ring = std::move(event_ring::open("", 1 << 12).value());
  ring->record(envelope(1), ring->next_id(), 5, 0);
  auto events = ring->events();
  REQUIRE(events.size() == 1);
  CHECK(std::string(events[0].from).size() == sizeof(events[0].from) - 1);
  CHECK(std::string(events[0].to) == "master/leader");
}

TEST_CASE("a ring that cannot be made names its path") {
  auto ring = event_ring::open("/nowhere/at/all/ring", 1 << 12);
  REQUIRE(!ring);
  CHECK(ring.error().message.find("/nowhere/at/all/ring") != std::string::npos);
}
