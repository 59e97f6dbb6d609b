#pragma once

#include "frameworks/sdk/scheduler.hpp"

#include <cstddef>
#include <memory>
#include <string>

/// Schedulers that measure: each prints its figure, then ends its framework.
namespace troupe::bench {

/// From the wish to run a command to hearing that it runs, on an idle cluster: one task at a time, a pause before each.
/// The floor, taken before each pause: one record appended to `floor_path` and synced, one process started.
/// `holds_offers`: an offer is there already; else the wish is a revive, and the way leads through the allocator.
std::shared_ptr<sdk::scheduler> launch_one_at_a_time(bool holds_offers, std::size_t tasks,
                                                     const std::string& floor_path);

/// `tasks` runs of `true` at once, from the wish to the last one's end, `rounds` times. The floor, after each round: as
/// many `true` spawned and waited for by one thread.
std::shared_ptr<sdk::scheduler> launch_all_at_once(std::size_t tasks, std::size_t rounds);

/// Who these are to the master.
v1::FrameworkInfo launch_bench_framework();

/// A task that runs a program without a shell.
v1::TaskInfo launch_bench_task(const std::string& id, const std::string& program, const std::string& argument = {});

/// What each task asks for.
constexpr const char* launch_bench_needs = "cpus:0.1;mem:32";

}  // namespace troupe::bench
