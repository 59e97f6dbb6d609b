#include "tools/sim_command.hpp"

#include "protocol/resources.hpp"
#include "tools/sim_framework.hpp"
#include "tools/sim_report.hpp"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

namespace troupe {

namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

constexpr double progress_after_s = 2;
constexpr double progress_every_s = 0.5;
// Of services there is room for 16 on the usual agent.
constexpr std::uint64_t tasks_an_agent = 20, services_an_agent = 10;

struct sim_flags {
  std::string framework;
  std::string workload;
  unsigned agents = 10;
  unsigned masters = 3;
  double hours = 1;
  std::uint64_t seed = 1;
  std::string faults = "mild";
  std::string agent_resources = sim::trial_options().agent_resources;
  std::optional<std::uint64_t> tasks;
  std::string trace;
  bool json = false;
};

int bad_usage(const std::string& message) {
  std::cerr << "troupe: " << message << std::endl;
  return 2;
}

std::string quoted(const std::string& text) {
  const bool plain = text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=+") ==
                     std::string::npos;
  if (plain && !text.empty()) return text;
  std::string all = "'";
  for (const char c : text) all += c == '\'' ? "'\\''" : std::string(1, c);
  return all + "'";
}

/// What runs the same trial again.
std::string command_of(const sim_flags& given) {
  std::string all = "troupe sim";
  if (!given.framework.empty()) all += " " + quoted(given.framework);
  if (!given.workload.empty()) all += " --workload " + given.workload;
  all +=
      fmt::format(" --agents {} --hours {} --seed {} --faults {}", given.agents, given.hours, given.seed, given.faults);
  const sim_flags usual;
  if (given.agent_resources != usual.agent_resources) all += " --agent-resources " + quoted(given.agent_resources);
  if (given.tasks) all += fmt::format(" --tasks {}", *given.tasks);
  if (given.masters != usual.masters) all += fmt::format(" --masters {}", given.masters);
  return all;
}

sim::trial_workload workload_of(const std::string& name) {
  if (name == "services") return sim::trial_workload::services;
  if (name == "batch") return sim::trial_workload::batch;
  return sim::trial_workload::mixed;
}

sim::fault_level level_of(const std::string& name) {
  if (name == "mild") return sim::fault_level::mild;
  if (name == "harsh") return sim::fault_level::harsh;
  return sim::fault_level::none;
}

/// One line that is written over, on a terminal, once a trial takes long.
class progress_line {
 public:
  explicit progress_line(sim::timeline::duration all) : all_(all), is_terminal_(isatty(STDERR_FILENO) != 0) {}
  ~progress_line() {
    if (shown_) std::cerr << "\r\033[K" << std::flush;
  }

  void show(const sim::cluster& world, const sim::figures& figures, sim::timeline::duration now) {
    if (!is_terminal_) return;
    const auto real = steady_clock::now();
    if (duration<double>(real - began_).count() < progress_after_s ||
        duration<double>(real - last_).count() < progress_every_s)
      return;
    last_ = real;
    shown_ = true;
    std::cerr << fmt::format("\r\033[K{:.0f} %, {:.1f} min, {} steps, {} tasks run",
                             100.0 * static_cast<double>(now.count()) / static_cast<double>(all_.count()),
                             duration<double>(now).count() / 60, world.steps(), figures.running())
              << std::flush;
  }

 private:
  const sim::timeline::duration all_;
  const bool is_terminal_;
  bool shown_ = false;
  const steady_clock::time_point began_ = steady_clock::now();
  steady_clock::time_point last_ = began_;
};

/// What a framework prints is no part of the report: it goes to stderr meanwhile.
class quiet_stdout {
 public:
  quiet_stdout() : former_(std::cout.rdbuf(std::cerr.rdbuf())) {}
  ~quiet_stdout() { std::cout.rdbuf(former_); }
  quiet_stdout(const quiet_stdout&) = delete;
  quiet_stdout& operator=(const quiet_stdout&) = delete;

 private:
  std::streambuf* former_;
};

int run(const sim_flags& given) {
  sim::trial_options options;
  options.seed = given.seed;
  options.agents = given.agents;
  options.masters = given.masters;
  options.lasts = std::chrono::duration_cast<sim::timeline::duration>(duration<double, std::ratio<3600>>(given.hours));
  options.faults = level_of(given.faults);
  options.agent_resources = given.agent_resources;
  const auto each = resources::parse(given.agent_resources);
  if (!each) return bad_usage("--agent-resources: " + each.error().message);
  options.workload = workload_of(given.workload);
  const bool all_stay = options.workload == sim::trial_workload::services;
  options.tasks = given.tasks.value_or((all_stay ? services_an_agent : tasks_an_agent) * given.agents);
  if (!given.framework.empty()) {
    if (!given.workload.empty()) return bad_usage("either FRAMEWORK.so or --workload, not both");
    if (given.tasks) return bad_usage("--tasks is the workload's; a framework launches as many as it likes");
    const auto loaded = load_simulated_framework(given.framework);
    if (!loaded) return bad_usage(loaded.error().message);
    options.framework = [make = (*loaded)->make] { return make(); };
  }
  std::ofstream trace;
  if (!given.trace.empty()) {
    trace.open(given.trace);
    if (!trace) return bad_usage("--trace " + given.trace + ": cannot be written");
    options.trace = [&trace](const std::string& line) { trace << line << '\n'; };
  }
  progress_line line(options.lasts);
  options.progress = [&line](sim::cluster& world, const sim::figures& figures) {
    line.show(world, figures, world.time().now());
  };
  const auto began = steady_clock::now();
  auto report = [&] {
    const quiet_stdout meanwhile;
    return run_trial(options);
  }();
  trace.flush();
  if (!given.trace.empty() && !trace)
    std::cerr << "warning: " << given.trace << " could not be written to its end" << std::endl;
  const sim_summary summary{command_of(given), given.faults, options, report, steady_clock::now() - began};
  std::cout << (given.json ? sim_json(summary) : sim_text(summary)) << std::flush;
  return report.breaks.empty() ? 0 : 1;
}

}  // namespace

void add_sim_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("sim", "Try a framework against a simulated cluster: hours in seconds, from a seed");
  auto given = std::make_shared<sim_flags>();
  command
      ->add_option("framework", given->framework, "A framework's shared object (docs/simulator.md); none: a workload")
      ->type_name("FRAMEWORK.so");
  command
      ->add_option("--workload", given->workload,
                   "Frameworks of our own instead: services run for ever, batch in waves of short tasks, mixed is both")
      ->check(CLI::IsMember({"services", "batch", "mixed"}));
  command->add_option("--agents", given->agents, "So many machines")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--hours", given->hours, "Of the cluster's time")
      ->check(CLI::Range(0.01, 1000.0))
      ->capture_default_str();
  command->add_option("--seed", given->seed, "Decides all that happens")->capture_default_str();
  command
      ->add_option("--faults", given->faults,
                   "What goes wrong in the first two thirds: none, mild, every few minutes, or harsh, every minute")
      ->check(CLI::IsMember({"none", "mild", "harsh"}))
      ->capture_default_str();
  command->add_option("--agent-resources", given->agent_resources, "What each machine offers")->capture_default_str();
  command->add_option("--tasks", given->tasks, "Tasks of the workload in all; 20 an agent if not given, of services 10")
      ->check(CLI::Range(1, 10'000'000));
  command->add_option("--masters", given->masters, "One, or several who elect one of them")
      ->check(CLI::Range(1, 9))
      ->capture_default_str();
  command->add_option("--trace", given->trace, "Write a line here for each thing that happens");
  command->add_flag("--json", given->json, "Print one JSON object");
  command->footer(
      "The production code of masters, agents, executors and the SDK decides, in one thread, on a simulated network, "
      "clocks,\n"
      "disks and containers; the same command gives the same run. What has to be true of a cluster is checked as it "
      "runs, and\n"
      "in the end, when nothing goes wrong any more, that all that is due has happened.\n\n"
      "examples: troupe sim build/release/bin/hello.so --agents 5 --faults harsh\n"
      "          for seed in $(seq 20); do troupe sim my_framework.so --faults harsh --seed $seed || break; done\n"
      "          troupe sim my_framework.so --faults harsh --seed 7 --trace story.txt\n"
      "          troupe sim --workload mixed --agents 10000 --hours 2 --faults none --tasks 200000\n"
      "exit codes: 0 nothing broke; 1 something did, or did not happen though it was due; 2 the command line was "
      "wrong, or\n"
      "            the framework cannot be loaded");
  command->callback([given, &exit_code] { exit_code = run(*given); });
}

}  // namespace troupe
