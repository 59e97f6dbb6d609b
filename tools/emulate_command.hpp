#pragma once

#include <CLI/CLI.hpp>

namespace troupe {

/// `troupe emulate agents`, `… frameworks` and `… cluster`: thousands of them in one process, to size a master. Adds
/// the command with its tables of options.
void add_emulate_command(CLI::App& app, int& exit_code);

}  // namespace troupe
