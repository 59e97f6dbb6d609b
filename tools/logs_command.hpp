#pragma once

#include <CLI/CLI.hpp>

namespace troupe {

/// `troupe logs TASK`: what a task wrote, while it runs or after it ended.
void add_logs_command(CLI::App& app, int& exit_code);

}  // namespace troupe
