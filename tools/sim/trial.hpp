#pragma once

#include "tools/sim/faults.hpp"
#include "tools/sim/figures.hpp"
#include "tools/sim/workload.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::sim {

/// What frameworks of our own want in a trial: services that run for ever, batches of short tasks, both.
enum class trial_workload { services, batch, mixed };

struct trial_options {
  std::uint64_t seed = 1;
  unsigned masters = 3;
  unsigned agents = 10;
  std::string agent_resources = "cpus:8;mem:16384;disk:65536;ports:[31000-32000]";
  timeline::duration lasts{std::chrono::hours(1)};  ///< faults happen in the first two thirds
  fault_level faults = fault_level::none;
  /// A framework from elsewhere; null: the workload.
  cluster::scheduler_maker framework;
  trial_workload workload = trial_workload::mixed;
  std::uint64_t tasks = 0;                                 ///< of the workload, in all
  std::function<void(const std::string&)> trace;           ///< gets a line for each thing that happens
  std::function<void(cluster&, const figures&)> progress;  ///< called now and then
};

/// Where something was not as it must be.
struct trial_break {
  std::string invariant;
  std::string what;
};

struct trial_report {
  std::uint64_t hash = 0, steps = 0, events = 0, letters_lost = 0;
  timeline::duration lasted{0};
  std::uint64_t wanted = 0;  ///< by the workload; 0: nobody knows
  std::uint64_t running = 0, running_max = 0;
  double cpus_used = 0, mem_used = 0;  ///< mean, of all there is
  std::vector<framework_figures> frameworks;
  bool waits_are_of_tasks = false;  ///< each from a task's wish to its launch; else from asking for offers to a launch
  std::map<fault_kind, std::size_t> faults;
  std::vector<fault> story;
  std::map<std::string, std::uint64_t> looked_at;
  std::vector<trial_break> breaks;  ///< the first of each invariant

  std::uint64_t sum(std::uint64_t framework_figures::*what) const;
};

/// A cluster whose agents are alike, with frameworks that are to be tried. After the faults nothing goes wrong any
/// more, and within a bound the cluster must come to rest: agents and frameworks registered, accounts that agree, and
/// of each task its framework knows what is true. A cluster at work is never at rest altogether: what counts is what
/// stays wrong from each look to the next.
trial_report run_trial(const trial_options& options);

/// The value below which that portion lies; 0 of none. Sorts them.
std::chrono::nanoseconds quantile(std::vector<std::chrono::nanoseconds>& all, double portion);

}  // namespace troupe::sim
