// Every step that the journal takes on its disk, and every way in which it can go wrong there: what was answered as
// committed is there afterwards, nothing half of a group is, and damage is said. TROUPE_SWEEP=all takes every step;
// else every so many-th is taken.
#include "tests/crash/journal_workload.hpp"

#include "tests/unit/storage/scratch_folder.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <set>

using namespace troupe;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;
using contents = journal_workload::contents;

bool takes_all() {
  const char* chosen = std::getenv("TROUPE_SWEEP");
  return chosen != nullptr && std::string(chosen) == "all";
}

/// All files of a folder, to go back to.
class image {
 public:
  explicit image(const fs::path& folder) {
    for (const auto& each : fs::recursive_directory_iterator(folder)) {
      const auto name = each.path().filename().string();
      if (!each.is_regular_file() || name == "LOG" || name == "LOG.old" || name == "LOCK") continue;
      std::ifstream in(each.path(), std::ios::binary);
      files_[each.path().lexically_relative(folder).string()] = {std::istreambuf_iterator<char>(in), {}};
    }
  }
  void restore(const fs::path& folder) const {
    for (const auto& each : fs::directory_iterator(folder)) fs::remove_all(each.path());
    for (const auto& [name, bytes] : files_) {
      fs::create_directories((folder / name).parent_path());
      std::ofstream(folder / name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
  }
  std::map<std::string, std::string>& files() { return files_; }
  friend bool operator<(const image& a, const image& b) { return a.files_ < b.files_; }

 private:
  std::map<std::string, std::string> files_;
};

/// What a journal opened in a folder finds.
struct found {
  std::string problem;  ///< where it could not be opened or scanned
  contents records;
  std::vector<damage> damaged;
};

found open_and_scan(const fs::path& folder, faulty_disk& disk) {
  found out;
  auto opened = journal::open(folder, journal_workload::options(disk));
  if (!opened) {
    out.problem = opened.error().message;
    return out;
  }
  disk.wait_until_idle();
  auto scanned = (*opened)->scan("");
  if (!scanned) {
    out.problem = scanned.error().message;
    return out;
  }
  for (auto& each : scanned->records) out.records[each.key] = std::move(each.record);
  out.damaged = std::move(scanned->damaged);
  return out;
}

found open_and_scan(const fs::path& folder) {
  faulty_disk sound(folder);
  return open_and_scan(folder, sound);
}

/// What went against expectations, with how to run it again.
class verdicts {
 public:
  explicit verdicts(const char* name) : name_(name) {}

  void take(std::size_t step, const std::string& what, disk_fault fault, const std::string& problem) {
    ++runs_;
    steps_.insert(step);
    faults_.insert(fault);
    if (problem.empty()) return;
    if (++failures_ <= 10)
      std::printf("crash-sweep %s: step=%zu (%s) variant=%s: %s\n", name_, step, what.c_str(), to_string(fault),
                  problem.c_str());
  }

  std::size_t report() const {
    std::printf("crash-sweep what=%s steps=%zu variants=%zu runs=%zu failures=%zu\n", name_, steps_.size(),
                faults_.size(), runs_, failures_);
    return failures_;
  }

 private:
  const char* name_;
  std::set<std::size_t> steps_;
  std::set<disk_fault> faults_;
  std::size_t runs_ = 0, failures_ = 0;
};

struct sweep {
  caf::actor_system_config config;
  caf::actor_system system{config};
  scratch_folder scratch;
  const journal_workload workload{20};

  sweep() { fs::create_directory(folder()); }
  fs::path folder() const { return scratch / "journal"; }

  void empty_folder() const {
    for (const auto& each : fs::directory_iterator(folder())) fs::remove_all(each.path());
  }

  std::vector<disk_step> steps_of_a_run() {
    empty_folder();
    faulty_disk disk(folder());
    const auto done = workload.run(system, folder(), disk);
    REQUIRE(done.problem.empty());
    REQUIRE(done.answered == workload.groups());
    return disk.steps();
  }

  /// Empty if `records` is what was remembered after a group that was begun, and no earlier one than was answered.
  std::string judge(const found& after, const journal_workload::progress& done) const {
    if (!after.problem.empty()) return "the journal does not open: " + after.problem;
    if (!after.damaged.empty()) return "damage where there is none: " + after.damaged[0].what;
    for (auto groups = done.answered; groups <= done.begun; ++groups)
      if (after.records == workload.after(groups)) return {};
    for (std::size_t groups = 0; groups <= workload.groups(); ++groups)
      if (after.records == workload.after(groups))
        return "the state after group " + std::to_string(groups) + ", though " + std::to_string(done.answered) +
               " were answered and " + std::to_string(done.begun) + " begun";
    return "no state that ever was: " + std::to_string(after.records.size()) + " records";
  }
};

/// Opens twice: what the first finds, the second must find too.
std::string open_twice(const fs::path& folder, const std::function<std::string(const found&)>& judge) {
  const auto first = open_and_scan(folder);
  if (auto problem = judge(first); !problem.empty()) return problem;
  const auto second = open_and_scan(folder);
  if (second.records != first.records) return "opened again, it is another state";
  return judge(second);
}

}  // namespace

TEST_CASE_METHOD(sweep, "the same commits take the same steps, and these go through all that LevelDB does") {
  const auto steps = steps_of_a_run();
  CHECK(steps == steps_of_a_run());
  const auto count = [&](disk_step::kind is, const std::string& part) {
    return std::count_if(steps.begin(), steps.end(),
                         [&](const disk_step& s) { return s.is == is && s.path.find(part) != std::string::npos; });
  };
  CHECK(count(disk_step::kind::make_file, ".log") > 5);
  CHECK(count(disk_step::kind::make_file, ".ldb") > 6);
  CHECK(count(disk_step::kind::remove, ".ldb") > 3);  // merged into others
  CHECK(count(disk_step::kind::remove, ".log") > 4);
  CHECK(count(disk_step::kind::rename, "dbtmp") == 2);
}

TEST_CASE_METHOD(sweep, "whatever goes wrong at whichever step of a run, what was answered is there, whole") {
  const auto steps = steps_of_a_run();
  const std::size_t stride = takes_all() ? 1 : 29;
  verdicts all("run");
  for (std::size_t step = 0; step < steps.size(); step += stride) {
    for (const auto fault : all_disk_faults()) {
      if (!applies(fault, steps[step])) continue;
      for (const bool cut_later : {false, true}) {
        if (is_power_cut(fault) && cut_later) continue;
        empty_folder();
        journal_workload::progress done;
        {
          faulty_disk disk(folder());
          disk.inject(step, fault);
          done = workload.run(system, folder(), disk);
          if (is_power_cut(fault) || cut_later) disk.restore_after_power_cut();
        }
        all.take(step, to_string(steps[step]), fault,
                 open_twice(folder(), [&](const found& after) { return judge(after, done); }));
      }
    }
  }
  CHECK(all.report() == 0);
}

TEST_CASE_METHOD(sweep, "whatever goes wrong at whichever step of a recovery, it is as if it had not been tried") {
  const auto steps = steps_of_a_run();
  // The states that power cuts leave, each once.
  std::set<image> seen;
  const std::size_t stride = takes_all() ? 1 : 173;
  const std::size_t stride_inside = takes_all() ? 1 : 13;
  verdicts all("recovery");
  for (std::size_t cut = 0; cut < steps.size(); cut += stride) {
    empty_folder();
    journal_workload::progress done;
    {
      faulty_disk disk(folder());
      disk.inject(cut, cut % 2 == 0 ? disk_fault::cut_before : disk_fault::cut_names_kept);
      done = workload.run(system, folder(), disk);
      disk.restore_after_power_cut();
    }
    const image left(folder());
    if (!seen.insert(left).second) continue;
    std::vector<disk_step> inside;
    {
      faulty_disk disk(folder());
      REQUIRE(judge(open_and_scan(folder(), disk), done) == "");
      inside = disk.steps();
    }
    for (std::size_t step = 0; step < inside.size(); step += stride_inside) {
      for (const auto fault : all_disk_faults()) {
        if (!applies(fault, inside[step])) continue;
        left.restore(folder());
        {
          faulty_disk disk(folder());
          disk.inject(step, fault);
          open_and_scan(folder(), disk);
          if (is_power_cut(fault)) disk.restore_after_power_cut();
        }
        all.take(step, to_string(inside[step]) + " after " + to_string(steps[cut]), fault,
                 open_twice(folder(), [&](const found& after) { return judge(after, done); }));
      }
    }
  }
  CHECK(all.report() == 0);
}

namespace {

/// Damage to files at rest.
struct harm {
  const char* name;
  std::function<void(std::map<std::string, std::string>&)> to;
};

std::string& newest(std::map<std::string, std::string>& files, const std::string& ending) {
  std::string* out = nullptr;
  for (auto& [name, bytes] : files)
    if (name.size() > ending.size() && name.substr(name.size() - ending.size()) == ending && !bytes.empty())
      out = &bytes;
  REQUIRE(out != nullptr);
  return *out;
}

const std::vector<harm>& harms() {
  static const std::vector<harm> all = {
      {"log", [](auto& files) { newest(files, ".log")[2000] ^= 1; }},
      {"table", [](auto& files) { newest(files, ".ldb")[6000] ^= 1; }},
      {"current", [](auto& files) { files.erase("CURRENT"); }},
  };
  return all;
}

}  // namespace

TEST_CASE_METHOD(
    sweep, "whatever goes wrong at whichever step of a rebuild, it salvages as much at the next try, and says so") {
  steps_of_a_run();
  const image sound(folder());
  const auto full = workload.after(workload.groups());
  const std::size_t stride = takes_all() ? 1 : 23;
  for (const auto& each : harms()) {
    image damaged = sound;
    each.to(damaged.files());
    damaged.restore(folder());
    found reference;
    std::vector<disk_step> inside;
    {
      faulty_disk disk(folder());
      reference = open_and_scan(folder(), disk);
      inside = disk.steps();
    }
    INFO(each.name);
    REQUIRE(reference.problem.empty());
    REQUIRE_FALSE(reference.damaged.empty());
    // Each record is one that was committed under its key. If not the last, that is said.
    bool all_are_the_last = true;
    for (const auto& [key, record] : reference.records) {
      bool was_committed = false;
      for (std::size_t groups = 1; groups <= workload.groups(); ++groups) {
        const auto at = workload.after(groups).find(key);
        was_committed = was_committed || (at != workload.after(groups).end() && at->second == record);
      }
      CHECK(was_committed);
      const auto at = full.find(key);
      all_are_the_last = all_are_the_last && at != full.end() && at->second == record;
    }
    if (!all_are_the_last || reference.records.size() < full.size())
      CHECK(std::any_of(reference.damaged.begin(), reference.damaged.end(), [](const damage& d) {
        return d.key.compare(0, 5, "agent") == 0 || d.key.compare(0, 8, "identity") == 0;
      }));
    const auto judge = [&](const found& after) -> std::string {
      if (!after.problem.empty()) return "the journal does not open: " + after.problem;
      if (after.damaged.empty()) return "the damage is not reported any more";
      if (after.records == reference.records) return {};
      return std::to_string(after.records.size()) + " records, where an undisturbed rebuild finds " +
             std::to_string(reference.records.size());
    };
    verdicts all(each.name);
    for (std::size_t step = 0; step < inside.size(); step += stride) {
      for (const auto fault : all_disk_faults()) {
        if (!applies(fault, inside[step])) continue;
        damaged.restore(folder());
        {
          faulty_disk disk(folder());
          disk.inject(step, fault);
          open_and_scan(folder(), disk);
          if (is_power_cut(fault)) disk.restore_after_power_cut();
        }
        all.take(step, to_string(inside[step]), fault, open_twice(folder(), judge));
      }
    }
    CHECK(all.report() == 0);
  }
}
