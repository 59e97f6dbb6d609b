#include "tests/isolators/container_lab.hpp"

#include <sys/wait.h>
#include <catch2/catch.hpp>

#include <csignal>

namespace troupe {
namespace {

void add_scalar(internal::LaunchContainer& launch, const std::string& name, double value) {
  auto* resource = launch.add_resources();
  resource->set_name(name);
  resource->set_type(v1::Value::SCALAR);
  resource->mutable_scalar()->set_value(value);
}

// Doubles a shell variable until something gives.
constexpr char greedy[] = "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done";

}  // namespace

TEST_CASE("a task that exceeds its memory is killed, and its end says so with figures") {
  container_lab lab;
  if (!lab.has_memory_cgroup()) {
    WARN("not run: no memory cgroup here");
    return;
  }
  auto script = GENERATE(std::string(greedy), "(" + std::string(greedy) + "); echo survived > after; sleep 1000");
  auto launch = lab.shell("a", script);
  add_scalar(launch, "mem", 40);
  auto exited = lab.run(launch);
  CHECK(WIFSIGNALED(exited.status()));
  CHECK(exited.limitation_reason() == v1::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  CHECK(exited.limitation_message() == "memory limit 40 MB exceeded: used 40 MB");
  REQUIRE(exited.limitation().resources_size() == 1);
  CHECK(exited.limitation().resources(0).name() == "mem");
  CHECK(exited.limitation().resources(0).scalar().value() == 40);
  CHECK(lab.groups().empty());
}

TEST_CASE("a task within its memory ends without a word about it") {
  container_lab lab;
  auto launch = lab.shell("a", "exit 0");
  add_scalar(launch, "mem", 40);
  add_scalar(launch, "cpus", 0.5);
  auto exited = lab.run(launch);
  CHECK(exited.status() == 0);
  CHECK_FALSE(exited.has_limitation());
  CHECK_FALSE(exited.has_limitation_reason());
}

TEST_CASE("the task is in its cgroups with its limits, and its shim is not") {
  container_lab lab;
  if (!lab.has_memory_cgroup()) {
    WARN("not run: no memory cgroup here");
    return;
  }
  auto launch = lab.shell("a",
                          "g() { sed -n \"s/^[0-9]*:$2://p\" /proc/$1/cgroup; }; "
                          "cat /sys/fs/cgroup/memory$(g $$ memory)/memory.limit_in_bytes "
                          "/sys/fs/cgroup/cpu$(g $$ cpu)/cpu.shares /sys/fs/cgroup/cpu$(g $$ cpu)/cpu.cfs_quota_us; "
                          "[ \"$(g $$ memory)\" = \"$(g $PPID memory)\" ] || echo apart");
  add_scalar(launch, "mem", 64);
  add_scalar(launch, "cpus", 0.5);
  CHECK(lab.run(launch).status() == 0);
  CHECK(lab.output_of("a") == "67108864\n512\n50000\napart");
}

}  // namespace troupe
