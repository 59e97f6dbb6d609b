#pragma once

#include <CLI/CLI.hpp>

namespace troupe {

/// `troupe journal ls|get|check|export PATH`: what a daemon remembers, read from its files without it.
void add_journal_command(CLI::App& app, int& exit_code);

}  // namespace troupe
