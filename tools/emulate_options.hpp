#pragma once

#include "actors/agent/agent_options.hpp"
#include "tools/daemon.hpp"
#include "tools/emulator/emulated_agents.hpp"
#include "tools/emulator/emulated_frameworks.hpp"
#include "tools/master_client.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What the emulate commands have in common.
struct emulate_flags : master_flags {
  std::string work_dir;
  std::string log_level = "warning";
  std::vector<std::string> sources;
  std::chrono::nanoseconds warm_up{0};
  std::optional<std::chrono::nanoseconds> duration;
};

struct emulate_agents_flags {
  std::size_t count = 0;
  std::string resources = "cpus:2;mem:2048", attributes, task_seconds = "30:10";
  std::chrono::nanoseconds registration_backoff = std::chrono::milliseconds(100);
  std::uint64_t seed = 1;
};

struct emulate_frameworks_flags {
  std::size_t count = 0, at_once = 0, tasks = 0, labels = 0;
  double rate = 0, cpus = 1, mem = 1024;
  std::string role = "*", user = "root";
};

/// `sockets`: whether it reaches its master over those.
void add_emulate_options(CLI::App& command, emulate_flags& flags, bool sockets);
/// For those that launch tasks.
void add_warm_up_option(CLI::App& command, emulate_flags& flags);
void add_emulate_agents_options(CLI::App& command, emulate_agents_flags& flags, const std::string& count);
void add_emulate_frameworks_options(CLI::App& command, emulate_frameworks_flags& flags, const std::string& count);

/// Errors, here and below, name the option.
result<master_access> master_access_of(const emulate_flags& flags);
result<emulated_agents_options> agents_of(const emulate_agents_flags& flags);
result<emulated_frameworks_options> frameworks_of(const emulate_frameworks_flags& flags);

}  // namespace troupe
