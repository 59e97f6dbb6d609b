#include "isolators/machine.hpp"

#include <catch2/catch.hpp>

namespace troupe {
namespace {

constexpr std::uint64_t gb = 1024ull * 1024 * 1024;

machine small_machine() {
  return {"here", "boot", 4, 16 * gb, 100 * gb};
}

resources parsed(const std::string& text) {
  return resources::parse(text).value();
}

}  // namespace

TEST_CASE("what the operator does not name is detected, less what the system keeps") {
  CHECK(resources_of(small_machine(), "").value() == parsed("cpus:4;mem:15360;disk:97280;ports:[31000-32000]"));
}

TEST_CASE("what the operator names is taken as it is") {
  CHECK(resources_of(small_machine(), "cpus:2;mem(eng):100;gold:3").value() ==
        parsed("cpus:2;mem(eng):100;gold:3;disk:97280;ports:[31000-32000]"));
}

TEST_CASE("an operator keeps something out by naming it with nothing") {
  CHECK(resources_of(small_machine(), "disk:0; ports:[]").value() == parsed("cpus:4;mem:15360"));
}

TEST_CASE("a resource whose name only begins or ends like a known one is another") {
  CHECK(resources_of(small_machine(), "cpus_fast:2;my_mem:1").value() ==
        parsed("cpus:4;mem:15360;disk:97280;ports:[31000-32000];cpus_fast:2;my_mem:1"));
}

TEST_CASE("a small machine gives half of what it has") {
  CHECK(resources_of({"here", "", 1, 1 * gb, 6 * gb}, "").value() ==
        parsed("cpus:1;mem:512;disk:3072;ports:[31000-32000]"));
}

TEST_CASE("what cannot be detected counts as one cpu, one gigabyte and ten of disk") {
  CHECK(resources_of({"here", "", {}, {}, {}}, "").value() == parsed("cpus:1;mem:1024;disk:10240;ports:[31000-32000]"));
}

TEST_CASE("a text that is no resources is refused") {
  CHECK(resources_of(small_machine(), "cpus=2").has_error());
}

TEST_CASE("this machine can be looked at, even for a directory that is yet to be made") {
  auto here = detect_machine("/no/such/directory/yet");
  CHECK_FALSE(here.hostname.empty());
  CHECK(here.cpus.value() >= 1);
  CHECK(here.memory_bytes.value() > 0);
  CHECK(here.disk_bytes.has_value());
}

}  // namespace troupe
