#pragma once

#include <CLI/CLI.hpp>

namespace troupe {

/// `troupe trace`: who said what to whom, and because of what, from recordings.
void add_trace_command(CLI::App& app, int& exit_code);

}  // namespace troupe
