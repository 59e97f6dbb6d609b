#pragma once

#include "tools/sim/trial.hpp"

#include <chrono>
#include <string>

namespace troupe {

/// What a trial came to, for people and for programs. `command` runs it again.
struct sim_summary {
  std::string command;
  std::string faults;  ///< the level
  const sim::trial_options& options;
  sim::trial_report& report;  ///< waits get sorted
  std::chrono::duration<double> real;
};

std::string sim_text(const sim_summary& of);
std::string sim_json(const sim_summary& of);

}  // namespace troupe
