#include "isolators/cgroup_plan.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr milli shares_per_cpu = 1024;
constexpr milli shares_min = 2;
constexpr milli quota_period_us = 100'000;
constexpr milli quota_us_min = 1'000;
constexpr std::int64_t memory_bytes_min = 32 * bytes_per_mb;

isolation_plan group(const std::string& directory) {
  isolation_plan plan;
  plan.directories = {directory};
  // The child joins alone and by itself: through `tasks` that needs no lock over all threads of the machine, for which
  // the kernel would wait until every processor has passed a quiet state, some 15 ms.
  plan.join = {directory + "/tasks"};
  return plan;
}

std::uint64_t whole_mb(std::uint64_t bytes) {
  return (bytes + bytes_per_mb - 1) / bytes_per_mb;
}

}  // namespace

isolation_plan plan_cpu(const std::string& directory, const container_limits& limits, bool hard_cap) {
  auto plan = group(directory);
  if (limits.cpus) {
    auto shares = std::max(shares_min, *limits.cpus * shares_per_cpu / 1000);
    plan.writes.push_back({directory + "/cpu.shares", std::to_string(shares)});
  }
  if (hard_cap && limits.cpus_max) {
    auto quota_us = std::max(quota_us_min, *limits.cpus_max * quota_period_us / 1000);
    plan.writes.push_back({directory + "/cpu.cfs_period_us", std::to_string(quota_period_us)});
    plan.writes.push_back({directory + "/cpu.cfs_quota_us", std::to_string(quota_us)});
  }
  return plan;
}

isolation_plan plan_memory(const std::string& directory, const container_limits& limits) {
  auto plan = group(directory);
  if (limits.memory_bytes) {
    auto soft = std::to_string(std::max(memory_bytes_min, *limits.memory_bytes));
    plan.writes.push_back({directory + "/memory.soft_limit_in_bytes", soft});
  }
  if (limits.memory_bytes_max) {
    auto hard = std::to_string(std::max(memory_bytes_min, *limits.memory_bytes_max));
    // In this order: the kernel refuses a limit of memory and swap below that of memory.
    plan.writes.push_back({directory + "/memory.limit_in_bytes", hard});
    plan.writes.push_back({directory + "/memory.memsw.limit_in_bytes", hard, true});
  }
  return plan;
}

isolation_plan plan_freezer(const std::string& directory) {
  return group(directory);
}

bool exceeded(const memory_figures& figures) {
  if (figures.notified) return true;
  return figures.oom_kills > 0 && figures.used_bytes_max + bytes_per_mb >= figures.limit_bytes;
}

void add_memory_limitation(const memory_figures& figures, internal::ContainerExited& exited) {
  auto used_mb = whole_mb(figures.used_bytes_max);
  exited.set_limitation_reason(v1::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  exited.set_limitation_message("memory limit " + std::to_string(whole_mb(figures.limit_bytes)) +
                                " MB exceeded: used " + std::to_string(used_mb) + " MB");
  auto* used = exited.mutable_limitation()->add_resources();
  used->set_name("mem");
  used->set_type(v1::Value::SCALAR);
  used->mutable_scalar()->set_value(static_cast<double>(used_mb));
}

}  // namespace troupe
