#pragma once

#include <CLI/CLI.hpp>

namespace troupe {

/// `troupe sim`: tries a framework, or a workload of our own, against a simulated cluster.
void add_sim_command(CLI::App& app, int& exit_code);

}  // namespace troupe
