#pragma once

#include <CLI/CLI.hpp>

namespace troupe {

/// `troupe run [options] -- COMMAND`: runs a command as one task or several and behaves like the command itself: its
/// output is ours, its exit code too, Ctrl-C ends it.
void add_run_command(CLI::App& app, int& exit_code);

}  // namespace troupe
