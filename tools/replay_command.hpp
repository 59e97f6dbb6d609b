#pragma once

#include <CLI/CLI.hpp>

namespace troupe {

/// `troupe replay`: production cores run again on what they heard.
void add_replay_command(CLI::App& app, int& exit_code);

}  // namespace troupe
