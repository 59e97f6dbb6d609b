#include "isolators/container_files.hpp"

#include <catch2/catch.hpp>

namespace troupe {
namespace {

v1::ContainerID id(const std::string& value) {
  v1::ContainerID made;
  made.set_value(value);
  return made;
}

v1::ContainerID child(const v1::ContainerID& parent, const std::string& value) {
  auto made = id(value);
  *made.mutable_parent() = parent;
  return made;
}

}  // namespace

TEST_CASE("a container's name in file systems is its id, if it is plain") {
  CHECK(container_key(id("7f3a-b_c.d")).value() == "7f3a-b_c.d");
  CHECK(container_key(child(id("outer"), "inner")).value() == "outer+inner");
}

TEST_CASE("no container id leaves its folder or looks like another's") {
  CHECK(container_key(id("..")).value() == "%2E.");
  CHECK(container_key(id("a/../b")).value() == "a%2F..%2Fb");
  CHECK(container_key(id("outer+inner")).value() != container_key(child(id("outer"), "inner")).value());
  CHECK(container_key(id("%2F")).value() != container_key(id("/")).value());
  CHECK(container_key(id(std::string("a\0b\n", 4))).value() == "a%00b%0A");
}

TEST_CASE("ids that cannot be names are refused") {
  CHECK(container_key(id("")).error().code == errc::invalid_argument);
  CHECK(container_key(id(std::string(256, 'a'))).error().code == errc::invalid_argument);
  auto deep = id("a");
  for (int i = 0; i < 40; ++i) deep = child(deep, "a");
  CHECK(container_key(deep).error().code == errc::invalid_argument);
}

TEST_CASE("a container is found by its name") {
  auto odd = child(child(id("a/../b"), "..x+y"), std::string("a\0b\n%2F", 7));
  for (const auto& one : {id("7f3a-b_c.d"), id(".."), child(id("outer"), "inner"), odd})
    CHECK(container_id_of(container_key(one).value()).value().SerializeAsString() == one.SerializeAsString());
  for (const char* nobody : {"", "+", "a+", "..", ".", "a b", "%41", "%2f", "%2", "%", "%zz"})
    CHECK_FALSE(container_id_of(nobody).has_value());
}

TEST_CASE("a status file is read back as it was written") {
  auto record = parse_container_record("status 1792\nshim 100 5555\ntask 101 18446744073709551615\nboot 6a2b\n");
  REQUIRE(record.has_value());
  CHECK(record->status == 1792);
  CHECK(record->shim->pid == 100);
  CHECK(record->task->start_time == 18446744073709551615u);
  CHECK(record->boot == "6a2b");
}

TEST_CASE("a pid file has no status, and lines of later releases are passed over") {
  auto record = parse_container_record("shim 100 5555\nnovelty 1 2 3\n");
  REQUIRE(record.has_value());
  CHECK_FALSE(record->status);
  CHECK_FALSE(record->task);
}

TEST_CASE("a torn or foreign record is refused, and names the line") {
  for (const char* text :
       {"shim 100", "shim 0 1", "shim -5 1", "task x 1", "status", "status 99999999999999", "shim 1 2 3"}) {
    CAPTURE(text);
    auto record = parse_container_record(text);
    REQUIRE(record.has_error());
    CHECK(record.error().code == errc::corrupt);
    CHECK(record.error().message.find(text) != std::string::npos);
  }
}

TEST_CASE("a shim's report says whether exec has happened") {
  auto started = parse_shim_report("started 12 34\n");
  CHECK(started->started->pid == 12);
  CHECK(started->failed_step.empty());
  auto failed = parse_shim_report("started 12 34\nfailed program 2\n");
  CHECK(failed->failed_step == "program");
  CHECK(failed->failed_errno == 2);
  CHECK_FALSE(parse_shim_report("")->started);
  CHECK(parse_shim_report("failed program").has_error());
  CHECK(parse_shim_report("exploded").has_error());
}

}  // namespace troupe
