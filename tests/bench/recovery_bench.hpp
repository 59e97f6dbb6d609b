#pragma once

#include "frameworks/sdk/scheduler.hpp"

#include <cstddef>
#include <memory>
#include <string>

/// What scripts/bench recovery needs beside daemons and the emulator.
namespace troupe::bench {

/// A scheduler that launches `tasks` times `sleep` and keeps them. Prints `running TASKS` once all run, `ended TASK
/// STATE` for each that ends before it was asked to. At the program event "end" it kills all that are left, prints
/// `killed COUNT` when all of them have ended so, and ends.
std::shared_ptr<sdk::scheduler> hold_tasks(std::size_t tasks);

/// Runs a master and an agent in this process until a signal, over one link on a port of loopback, as `troupe local`
/// does; prints the master's URL when the agent is registered. All that they must remember is in journals below
/// `folder`, or, where that is not wanted, in memory. The exit code.
int run_small_cluster(const std::string& folder, bool durable);

}  // namespace troupe::bench
