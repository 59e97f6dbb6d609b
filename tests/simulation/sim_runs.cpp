// Runs simulated clusters, seed after seed; scripts/sim.
#include "protocol/mutant.hpp"
#include "tools/sim/world.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace troupe;
using namespace troupe::sim;

struct totals {
  std::uint64_t launches_min = ~std::uint64_t{0}, faults_min = ~std::uint64_t{0};
  std::uint64_t seeds = 0, launches = 0, faults = 0, open = 0, breaks = 0, steps = 0;
  timeline::duration virtual_time{0};
  std::map<std::string, std::uint64_t> looked_at;
  std::map<fault_kind, std::uint64_t> by_kind;

  void add(const world_result& r, bool is_open) {
    ++seeds;
    launches += r.launches;
    launches_min = std::min(launches_min, r.launches);
    faults_min = std::min(faults_min, r.faults);
    faults += r.faults;
    steps += r.steps;
    virtual_time += r.lasted;
    if (!r.invariant.empty()) ++(is_open ? open : breaks);
    for (const auto& [name, times] : r.looked_at) looked_at[name] += times;
    for (const auto& [kind, times] : r.by_kind) by_kind[kind] += times;
  }
};

constexpr std::uint64_t seeds_for_everything = 20;

/// The first two words of each line: a seed, and an invariant where the file names some. Lines with `#` are for people.
std::map<std::uint64_t, std::string> seeds_in(const std::string& file) {
  std::map<std::uint64_t, std::string> found;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::uint64_t seed = 0;
    words >> seed;
    words >> found[seed];
  }
  return found;
}

/// Of what a run of many seeds must have tried, what it has not.
std::vector<std::string> missed(const totals& all) {
  std::vector<std::string> found;
  for (const auto& name : checks::names())
    if (all.looked_at.count(name) == 0) found.push_back("check " + name);
  for (int kind = 0; kind < fault_kinds; ++kind)
    if (all.by_kind.count(static_cast<fault_kind>(kind)) == 0)
      found.push_back("fault " + std::string(name_of(static_cast<fault_kind>(kind))));
  return found;
}

void tell_of(const world_options& options, const world_result& r, bool is_open, bool shrinks) {
  std::printf("%s seed=%" PRIu64 " %s\n", is_open ? "open" : "break", r.seed, r.what.c_str());
  std::printf("  replay: scripts/sim --seed %" PRIu64 " --story\n", r.seed);
  if (!shrinks) return;
  const auto fewest = shrink(options, r, 60);
  std::printf("  of %zu faults these are enough:\n", r.story.size());
  for (const auto& f : fewest) std::printf("    %s\n", f.text().c_str());
}

#ifdef TROUPE_MUTANTS
/// Of each mutant the first seed that finds it, among so many.
int measure(const std::vector<std::string>& names, std::uint64_t first, std::uint64_t seeds, unsigned jobs) {
  std::size_t found = 0, tried = 0;
  for (const auto& each : all_mutants) {
    const auto m = each.which;
    if (!names.empty() && std::find(names.begin(), names.end(), mutant_name(m)) == names.end()) continue;
    select_mutant(m);
    std::mutex mutex;
    std::atomic<std::uint64_t> next{first};
    std::map<std::uint64_t, world_result> breaks;
    const auto work = [&] {
      for (auto seed = next++; seed < first + seeds; seed = next++) {
        world_options options;
        options.seed = seed;
        auto result = run_world(options);
        if (result.invariant.empty()) continue;
        std::lock_guard<std::mutex> lock(mutex);
        breaks.emplace(seed, std::move(result));
        next = first + seeds;
      }
    };
    std::vector<std::thread> others;
    for (unsigned n = 1; n < jobs; ++n) others.emplace_back(work);
    work();
    for (auto& other : others) other.join();
    ++tried;
    if (breaks.empty()) {
      std::printf("mutant name=%s seeds=%" PRIu64 " found=no\n", std::string(mutant_name(m)).c_str(), seeds);
    } else {
      ++found;
      const auto& [seed, by] = *breaks.begin();
      std::printf("mutant name=%s seeds=%" PRIu64 " found=yes by=%s what=\"%s\"\n", std::string(mutant_name(m)).c_str(),
                  seed - first + 1, by.invariant.c_str(), by.what.c_str());
    }
    std::fflush(stdout);
  }
  std::printf("mutants tried=%zu found=%zu\n", tried, found);
  return found == tried ? 0 : 1;
}
#endif

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs whole clusters in one thread, each from a seed, and looks for what must not be."};
  std::uint64_t first = 1, seeds = 20;
  unsigned jobs = 1;
  std::string record_to, also, known;
  bool story = false, shrinks = false, twice = false, mild = false, hashes = false;
  app.add_option("--seeds", seeds, "So many seeds")->capture_default_str();
  app.add_option("--first", first, "The first of them")->capture_default_str();
  auto* one = app.add_option("--seed", first, "This one alone");
  app.add_flag("--story", story, "Print all that happened");
  app.add_flag("--shrink", shrinks, "Of a seed that breaks something, look for the fewest faults that still do");
  app.add_flag("--twice", twice, "Run each seed twice, and compare");
  app.add_flag("--mild", mild, "With few faults");
  app.add_option("--record", record_to, "Record masters, allocators, agents and built-in executors into this folder")
      ->check(CLI::ExistingDirectory);
  app.add_flag("--hashes", hashes, "A line for each seed");
  app.add_option("--also", also, "And the seeds that the lines of this file begin with")->check(CLI::ExistingFile);
  app.add_option("--open", known,
                 "What its lines name, a seed and an invariant, is known and not mended yet: no failure")
      ->check(CLI::ExistingFile);
  app.add_option("--jobs", jobs, "So many worlds side by side")->check(CLI::Range(1, 64));
#ifdef TROUPE_MUTANTS
  std::vector<std::string> mutants;
  bool measures = false;
  app.add_flag("--measure", measures, "Of each mutant, the first seed that finds it");
  app.add_option("--mutant", mutants, "These mutants alone");
#endif
  CLI11_PARSE(app, argc, argv);
  if (*one) seeds = 1;
#ifdef TROUPE_MUTANTS
  if (measures) return measure(mutants, first, seeds, jobs);
  if (!mutants.empty()) select_mutant(*mutant_named(mutants.front()));
#endif
  totals all;
  std::mutex mutex;
  const auto open = known.empty() ? std::map<std::uint64_t, std::string>() : seeds_in(known);
  std::vector<std::uint64_t> todo;
  if (!also.empty())
    for (const auto& [seed, what] : seeds_in(also)) todo.push_back(seed);
  for (auto seed = first; seed < first + seeds; ++seed) todo.push_back(seed);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (auto place = next++; place < todo.size(); place = next++) {
      const auto seed = todo[place];
      world_options options;
      options.seed = seed;
      options.keeps_transcript = story;
      options.record_to = record_to;
      if (mild) options.faults = fault_level::mild;
      auto result = run_world(options);
      if (twice && result.invariant.empty() && run_world(options).hash != result.hash) {
        result.invariant = "I21";
        result.what = "I21: the same seed gives another world";
      }
      std::lock_guard<std::mutex> lock(mutex);
      const auto found = open.find(seed);
      const bool is_open = found != open.end() && found->second == result.invariant;
      all.add(result, is_open);
      for (const auto& line : result.transcript) std::cout << line << '\n';
      if (!result.invariant.empty()) tell_of(options, result, is_open, shrinks);
      if (hashes || *one)
        std::printf("seed=%" PRIu64 " hash=%016" PRIx64 " steps=%" PRIu64 " launches=%" PRIu64 " faults=%" PRIu64
                    " lasted_s=%.0f\n",
                    seed, result.hash, result.steps, result.launches, result.faults,
                    std::chrono::duration<double>(result.lasted).count());
      std::fflush(stdout);
    }
  };
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::thread> others;
  for (unsigned n = 1; n < jobs; ++n) others.emplace_back(work);
  work();
  for (auto& other : others) other.join();
  const double real = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const double hours = std::chrono::duration<double, std::ratio<3600>>(all.virtual_time).count();
  for (const auto& [name, times] : all.looked_at)
    std::printf("sim.check name=%s times=%" PRIu64 "\n", name.c_str(), times);
  for (const auto& [kind, times] : all.by_kind)
    std::printf("sim.fault kind=%s times=%" PRIu64 "\n", name_of(kind), times);
  const auto untried = mild || seeds < seeds_for_everything ? std::vector<std::string>() : missed(all);
  for (const auto& each : untried) std::printf("sim.untried %s\n", each.c_str());
  std::printf("sim.least launches=%" PRIu64 " faults=%" PRIu64 " of one seed\n", all.launches_min, all.faults_min);
  std::printf("sim seeds=%" PRIu64 " virtual_h=%.1f real_s=%.1f speed=%.0fx launches=%" PRIu64 " faults=%" PRIu64
              " open=%" PRIu64 " breaks=%" PRIu64 "\n",
              all.seeds, hours, real, hours * 3600 / real, all.launches, all.faults, all.open, all.breaks);
  return all.breaks == 0 && untried.empty() ? 0 : 1;
}
