#include "actors/runtime/event_ring.hpp"

#include <catch2/catch.hpp>

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

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

/// A file system of two mebibytes, seen by this thread alone. `path` is empty where that is not allowed.
struct small_disk {
  small_disk() {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
    if (::mount("none", folder.path.c_str(), "tmpfs", 0, "size=2m") == 0) path = folder.path;
  }
  ~small_disk() {
    if (!path.empty()) ::umount2(path.c_str(), MNT_DETACH);
  }
  temporary_folder folder;
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

TEST_CASE("a ring is as long as the disk has room for, and a full disk ends nobody") {
  small_disk disk;
  if (disk.path.empty()) {
    WARN("no file system can be mounted here");
    return;
  }
  const auto path = disk.path + "/ring";
  auto ring = std::move(event_ring::open(path, 4 << 20).value());
  constexpr std::uint64_t slots_of_a_mebibyte = (1 << 20) / sizeof(ring_event);
  {
    // Somebody else takes what is left but for half a mebibyte.
    std::ofstream other(disk.path + "/other");
    other << std::string(1 << 19, 'x');
  }
  constexpr std::uint64_t many = 5 * slots_of_a_mebibyte;
  for (std::uint64_t i = 1; i <= many; ++i) ring->record(envelope(i), ring->next_id(), 5, 1);
  const auto events = ring->events();
  CHECK(events.size() == slots_of_a_mebibyte);
  CHECK(events.back().trace == many);
}

TEST_CASE("a ring that a full disk has no room for at all is refused as such") {
  small_disk disk;
  if (disk.path.empty()) {
    WARN("no file system can be mounted here");
    return;
  }
  std::ofstream(disk.path + "/other") << std::string(2 << 20, 'x');
  const auto ring = event_ring::open(disk.path + "/ring", 4 << 20);
  REQUIRE(!ring);
  CHECK(ring.error().code == errc::exhausted);
  CHECK(ring.error().message.find("/ring") != std::string::npos);
}
