#pragma once

#include <CLI/CLI.hpp>

namespace troupe {

/// `troupe kill TASK`: ends somebody's task.
void add_kill_command(CLI::App& app, int& exit_code);

}  // namespace troupe
