#pragma once

#include <CLI/CLI.hpp>

namespace troupe {

/// `troupe local`: a master and an agent in one process, for a first try.
void add_local_command(CLI::App& app, int& exit_code);

}  // namespace troupe
