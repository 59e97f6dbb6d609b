// A framework that keeps a cluster busy and says what it is told; as `soak_framework --executor` it is its own
// executor.
#include "frameworks/sdk/program.hpp"
#include "tests/soak/line_file.hpp"
#include "tests/soak/soak_executor.hpp"
#include "tests/soak/soak_scheduler.hpp"

#include <CLI/CLI.hpp>

#include <pwd.h>
#include <unistd.h>

#include <iostream>
#include <memory>

namespace {

using namespace troupe;
using namespace troupe::soak;

std::string own_path() {
  char path[4096];
  auto length = ::readlink("/proc/self/exe", path, sizeof(path));
  return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "soak_framework";
}

std::string own_user() {
  const auto* entry = ::getpwuid(::geteuid());
  return entry ? entry->pw_name : "root";
}

int run_executor(const std::string& witness) {
  auto seen = std::make_unique<line_file>(witness);
  return sdk::run_executor_program([&](const sdk::executor_environment& told, sdk::tell_function tell) {
    seen->add("executor " + told.container_id + " start " + std::to_string(::getpid()) + " " + own_start_time());
    return std::make_shared<soak_executor>(told.sandbox, std::move(tell));
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Keeps a cluster busy, and says what it is told. scripts/soak runs it."};
  soak_plan plan;
  plan.short_command = "sleep 0.2";
  sdk::program_options options;
  std::string told;
  bool executor = false, resume = false;
  app.add_option("--name", plan.name, "Name of the framework, and before each task's");
  app.add_option("--state-dir", options.state_dir, "Remember the tasks here");
  app.add_option("--told", told, "Append here what the framework is told");
  app.add_option("--witness", plan.witness, "What tasks and executors append to");
  app.add_option("--long", plan.longs, "Tasks that never end");
  app.add_option("--short", plan.shorts, "Short tasks outstanding at once");
  app.add_option("--short-command", plan.short_command, "What a short task does")->capture_default_str();
  app.add_option("--kill-every", plan.kill_every, "Of so many short tasks one is killed");
  app.add_option("--spread", plan.spread, "Over so many agents long tasks are spread")->check(CLI::Range(1, 10000));
  app.add_option("--total", plan.total, "End after so many tasks, those of earlier lives included");
  app.add_flag("--custom", plan.custom, "Run the tasks in a custom executor");
  app.add_flag("--resume", resume, "Start the executor again, within its container, when it is killed");
  app.add_flag("--executor", executor, "Be the executor (agents do this)");
  CLI11_PARSE(app, argc, argv);
  try {
    if (executor) return run_executor(plan.witness);
    if (plan.name.empty() || told.empty()) throw std::runtime_error("--name and --told must be given");
    plan.executor = "'" + own_path() + "' --executor --witness '" + plan.witness + "'";
    constexpr int killed = 128 + 9;  // as a shell says it
    plan.executor = resume ? "while " + plan.executor + "; [ $? = " + std::to_string(killed) + " ]; do :; done"
                           : "exec " + plan.executor;
    plan.user = own_user();
    options.name = plan.name;
    line_file out(told);
    out.add("0 up " + std::to_string(::getpid()));
    return sdk::run_scheduler_program(std::make_shared<soak_scheduler>(plan, out), options);
  } catch (const std::exception& e) {
    std::cerr << "soak_framework: " << e.what() << std::endl;
    return 2;
  }
}
