#pragma once

#include <CLI/CLI.hpp>

namespace troupe {

/// `troupe agents`, `frameworks`, `tasks` and `offers`: tables of a master's state. Each command's callback stores its
/// exit code.
void add_listing_commands(CLI::App& app, int& exit_code);

}  // namespace troupe
