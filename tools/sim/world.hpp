#pragma once

#include "tools/sim/checks.hpp"
#include "tools/sim/cluster.hpp"
#include "tools/sim/faults.hpp"
#include "tools/sim/workload.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::sim {

struct world_options {
  std::uint64_t seed = 1;
  unsigned masters = 3;
  unsigned agents = 12;
  timeline::duration lasts{std::chrono::hours(1)};  ///< of which the last third is without faults
  fault_level faults = fault_level::harsh;
  bool keeps_transcript = false;
  std::string record_to;    ///< as in cluster_options
  std::vector<fault> only;  ///< these faults and no others, if `chosen`
  bool chosen = false;
};

/// What came of one world.
struct world_result {
  std::uint64_t seed = 0, hash = 0, steps = 0, launches = 0, starts = 0, faults = 0, finished = 0;
  timeline::duration lasted{0};
  std::string invariant;  ///< that was broken; empty: none
  std::string what;
  std::map<std::string, std::uint64_t> looked_at;
  std::map<fault_kind, std::size_t> by_kind;
  std::vector<fault> story;
  std::vector<std::string> transcript;
};

/// One seed's cluster: masters, agents of all sizes, four frameworks of the seed's choice. Faults for two thirds of its
/// time; then nothing goes wrong any more, and within a bound everything that is due must happen; then all frameworks
/// leave, and nothing of them may stay.
world_result run_world(const world_options& options);

/// The fewest of the faults of a world that still break the same invariant (delta debugging: Zeller, Hildebrandt 2002).
std::vector<fault> shrink(const world_options& options, const world_result& failed, unsigned runs_max);

}  // namespace troupe::sim
