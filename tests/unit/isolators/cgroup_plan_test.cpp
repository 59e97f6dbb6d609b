#include "isolators/cgroup_plan.hpp"

#include <catch2/catch.hpp>

#include <utility>

namespace troupe {
namespace {

constexpr auto mb = bytes_per_mb;

using pairs = std::vector<std::pair<std::string, std::string>>;

pairs writes_of(const isolation_plan& plan) {
  pairs list;
  for (const auto& write : plan.writes) list.emplace_back(write.path, write.value);
  return list;
}

container_limits cpus(milli request, std::optional<milli> limit) {
  return {request, limit, {}, {}};
}
container_limits memory(std::int64_t request, std::optional<std::int64_t> limit) {
  return {{}, {}, request, limit};
}

}  // namespace

TEST_CASE("cpu shares follow the request and the quota follows the limit") {
  CHECK(writes_of(plan_cpu("/g", cpus(1500, 2000), true)) ==
        pairs{{"/g/cpu.shares", "1536"}, {"/g/cpu.cfs_period_us", "100000"}, {"/g/cpu.cfs_quota_us", "200000"}});
}

TEST_CASE("tiny requests get the least that the kernel takes") {
  CHECK(writes_of(plan_cpu("/g", cpus(1, 1), true)) ==
        pairs{{"/g/cpu.shares", "2"}, {"/g/cpu.cfs_period_us", "100000"}, {"/g/cpu.cfs_quota_us", "1000"}});
}

TEST_CASE("cpus are not capped when the limit is infinite, or caps are off, or nothing was asked for") {
  CHECK(writes_of(plan_cpu("/g", cpus(1000, {}), true)) == pairs{{"/g/cpu.shares", "1024"}});
  CHECK(writes_of(plan_cpu("/g", cpus(1000, 1000), false)) == pairs{{"/g/cpu.shares", "1024"}});
  CHECK(plan_cpu("/g", {}, true).writes.empty());
}

TEST_CASE("memory is soft at the request and hard at the limit, swap included where it is accounted for") {
  auto plan = plan_memory("/g", memory(64 * mb, 128 * mb));
  CHECK(writes_of(plan) == pairs{{"/g/memory.soft_limit_in_bytes", "67108864"},
                                 {"/g/memory.limit_in_bytes", "134217728"},
                                 {"/g/memory.memsw.limit_in_bytes", "134217728"}});
  CHECK_FALSE(plan.writes[1].optional);
  CHECK(plan.writes[2].optional);
}

TEST_CASE("no task gets less than 32 MB") {
  CHECK(writes_of(plan_memory("/g", memory(1, 1))) == pairs{{"/g/memory.soft_limit_in_bytes", "33554432"},
                                                            {"/g/memory.limit_in_bytes", "33554432"},
                                                            {"/g/memory.memsw.limit_in_bytes", "33554432"}});
}

TEST_CASE("an infinite memory limit leaves the soft one") {
  CHECK(writes_of(plan_memory("/g", memory(64 * mb, {}))) == pairs{{"/g/memory.soft_limit_in_bytes", "67108864"}});
}

TEST_CASE("plans add up in order") {
  auto plan = plan_cpu("/a", {}, true);
  plan += plan_freezer("/b");
  CHECK(plan.directories == std::vector<std::string>{"/a", "/b"});
  CHECK(plan.join == std::vector<std::string>{"/a/tasks", "/b/tasks"});
}

TEST_CASE("a container that the machine's want of memory ended has not exceeded its own limit") {
  CHECK(exceeded({32 * mb, 32 * mb, 1, true}));
  CHECK(exceeded({32 * mb, 32 * mb - 4096, 1, false}));
  CHECK_FALSE(exceeded({32 * mb, 20 * mb, 1, false}));
  CHECK_FALSE(exceeded({32 * mb, 32 * mb, 0, false}));
}

TEST_CASE("a memory limitation is told with limit and use") {
  internal::ContainerExited exited;
  add_memory_limitation({32 * mb, 31 * mb + 1, 1, true}, exited);
  CHECK(exited.limitation_message() == "memory limit 32 MB exceeded: used 32 MB");
  CHECK(exited.limitation_reason() == v1::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  CHECK(exited.limitation().resources(0).name() == "mem");
  CHECK(exited.limitation().resources(0).scalar().value() == 32);
}

}  // namespace troupe
