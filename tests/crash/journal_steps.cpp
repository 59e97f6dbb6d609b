// Runs the commits of the sweep on the real disk, syncs and all, and prints the steps that were counted, one a line.
// journal_steps_test.py compares them with what the kernel was asked to do.
#include "tests/crash/journal_workload.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <iostream>

int main(int argc, char** argv) {
  using namespace troupe::test;
  if (argc != 2) {
    std::cerr << "usage: journal_steps FOLDER\n";
    return 2;
  }
  caf::actor_system_config config;
  caf::actor_system system(config);
  const std::filesystem::path folder = argv[1];
  constexpr int rounds = 20;
  for (int runs = 0; runs < 2; ++runs) {  // the second recovers what the first left
    faulty_disk disk(folder, true);
    const auto done = journal_workload(rounds).run(system, folder, disk);
    if (!done.problem.empty()) {
      std::cerr << "journal_steps: " << done.problem << '\n';
      return 1;
    }
    for (const auto& step : disk.steps()) std::cout << to_string(step) << '\n';
  }
}
