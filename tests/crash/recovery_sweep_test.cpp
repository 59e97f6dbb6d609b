// A cluster whose master, agent or framework ends at any step of writing to its journal, in any way, or between any two
// letters, and again while it recovers: nothing that anybody was told is lost or taken back, nothing runs twice, what
// runs is not disturbed, and all that was asked for comes about. The cores are the production ones, the journal too;
// TROUPE_SWEEP=all takes every step, else every so many-th is taken.
#include "tests/crash/faulty_disk.hpp"
#include "tests/crash/journal_workload.hpp"
#include "tests/crash/recovery_world.hpp"

#include "storage/journal.hpp"
#include "tests/unit/storage/scratch_folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using troupe::testing::world_error;

namespace {

namespace fs = std::filesystem;

bool takes_all() {
  const char* chosen = std::getenv("TROUPE_SWEEP");
  return chosen != nullptr && std::string(chosen) == "all";
}

struct conversation {
  const char* name;
  std::function<void(recovery_world&)> play;
};

constexpr int exit_1 = 256;

const std::vector<conversation>& conversations() {
  static const std::vector<conversation> all = {
      {"a task is launched, runs and ends",
       [](recovery_world& w) {
         w.want("t1");
         w.await_running("t1");
         w.end("t1", 0);
       }},
      {"one of two tasks is killed",
       [](recovery_world& w) {
         w.want("t1");
         w.want("t2");
         w.await_running("t1");
         w.await_running("t2");
         w.kill("t1");
         w.await_ended("t1");
       }},
      {"a task that does not heed TERM is killed",
       [](recovery_world& w) {
         w.inside().make_stubborn("t1");
         w.want("t1");
         w.await_running("t1");
         w.kill("t1");
       }},
      {"tasks end in a custom executor, by themselves and with it",
       [](recovery_world& w) {
         w.want("t1", "e1");
         w.await_running("t1");
         w.want("t2", "e1");
         w.await_running("t2");
         w.finish_in("e1", "t1");
         w.await_ended("t1");
         w.end("e1", exit_1);
       }},
      {"the agent is started again, and a task ends while it is away",
       [](recovery_world& w) {
         w.want("t1");
         w.want("t2");
         w.want("t3", "e1");
         for (const auto* task : {"t1", "t2", "t3"}) w.await_running(task);
         w.restart("a1");
         w.inside().crash("a1");
         w.end("t1", exit_1);
       }},
      {"the master is started again, and a task is killed while it is away",
       [](recovery_world& w) {
         w.want("t1");
         w.want("t2");
         w.await_running("t1");
         w.await_running("t2");
         w.restart("master", std::chrono::seconds(30));
         w.kill("t2");
         w.restart("master");
       }},
      {"the framework is started again in the midst of its wishes",
       [](recovery_world& w) {
         w.want("t1");
         w.restart("f1", std::chrono::seconds(30));
         w.want("t2");
         w.await_running("t1");
         w.restart("f1");
       }},
      {"the machine is started again",
       [](recovery_world& w) {
         w.want("t1");
         w.await_running("t1");
         w.reboot();
         w.want("t2");
         w.await_running("t2");
       }},
  };
  return all;
}

/// What goes wrong with one process.
struct calamity {
  std::string whom;
  std::optional<std::pair<std::size_t, disk_fault>> at_step;   ///< of its disk
  std::optional<std::pair<std::size_t, disk_fault>> and_then;  ///< at a step of the start after that
  std::size_t after_letters = 0;                               ///< 0: none
  bool last_words = true;                                      ///< what it has said arrives after its end
};

/// What came of it.
struct outcome {
  std::string problem;
  std::vector<disk_step> steps;     ///< of a disk with which nothing went wrong
  std::vector<disk_step> recovery;  ///< of the first start after a power cut
  std::size_t letters = 0;
  std::size_t starts = 0;
  std::vector<std::string> transcript;
};

/// One conversation in a cluster of its own. One process has a disk; the others' never fail.
class run {
 public:
  run(const conversation& told, const calamity& what, const fs::path& folder)
      : told_(told), what_(what), folder_(folder) {
    for (const auto& each : fs::directory_iterator(folder)) fs::remove_all(each.path());
    disk_ = std::make_unique<faulty_disk>(folder_);
    if (what_.at_step) disk_->inject(what_.at_step->first, what_.at_step->second);
  }

  outcome play() {
    outcome out;
    recovery_world world;
    world.inside().keep_records(what_.whom, [this] { return open(); });
    if (what_.last_words) world.inside().deliver_last_words();
    if (what_.after_letters != 0) world.inside().end_after_letters(what_.whom, what_.after_letters);
    try {
      world.begin();
      told_.play(world);
      world.finish();
    } catch (const std::exception& failure) {
      out.problem = failure.what();
    }
    out.steps = disk_->steps();
    out.recovery = recovery_;
    out.starts = starts_;
    out.letters = world.inside().letters_said(what_.whom);
    out.transcript = world.inside().transcript();
    return out;
  }

 private:
  std::unique_ptr<journal_store> open() {
    mend();
    const auto began = disk_->steps().size();
    auto opened = journal::open(folder_, journal_workload::options(*disk_));
    if (recovering_ && recovery_.empty() && opened) {
      const auto all = disk_->steps();
      recovery_.assign(all.begin() + static_cast<std::ptrdiff_t>(began), all.end());
    }
    if (!opened) return nullptr;
    return std::move(*opened);
  }

  /// Between two starts: the power is back, or there is space again.
  void mend() {
    const bool was_cut = disk_->is_cut();
    if (was_cut) disk_->restore_after_power_cut();
    if (!was_cut && starts_ > 0 && what_.at_step && what_.at_step->second == disk_fault::full)
      disk_ = std::make_unique<faulty_disk>(folder_);
    if (++starts_ > 1 && was_cut && !recovering_) {
      recovering_ = true;
      if (what_.and_then) disk_->inject(what_.and_then->first, what_.and_then->second);
    }
  }

  const conversation& told_;
  const calamity& what_;
  fs::path folder_;
  std::unique_ptr<faulty_disk> disk_;
  std::size_t starts_ = 0;
  bool recovering_ = false;
  std::vector<disk_step> recovery_;
};

/// Counts, and tells the first failures whole.
class verdicts {
 public:
  void take(const std::string& what, const outcome& came, const outcome& sound) {
    ++runs;
    if (came.starts > sound.starts) ++ends;
    if (came.problem.empty()) return;
    if (++failures > 5) return;
    std::printf("crash-sweep %s: %s\n", what.c_str(), came.problem.c_str());
    const auto& lines = came.transcript;
    for (auto i = lines.size() > 60 ? lines.size() - 60 : 0; i < lines.size(); ++i)
      std::printf("    %s\n", lines[i].c_str());
  }

  std::size_t steps = 0, runs = 0, failures = 0;
  std::size_t ends = 0;  ///< runs in which the process was started again
  std::set<disk_fault> variants;
};

void sweep(const std::string& whom, verdicts& all) {
  const scratch_folder scratch;
  const auto folder = scratch / "journal";
  fs::create_directory(folder);
  const std::size_t stride = takes_all() ? 1 : 67;
  std::size_t taken = 0;  // over all conversations, so that a sample does not take the same ones of each
  const auto is_due = [&] { return taken++ % stride == 0; };
  for (const auto& told : conversations()) {
    const std::string name = whom + ", " + told.name;
    calamity none;
    none.whom = whom;
    const auto sound = run(told, none, folder).play();
    all.take(name, sound, sound);
    REQUIRE(sound.problem.empty());
    REQUIRE(sound.steps.size() > 10);
    all.steps += sound.steps.size();
    for (std::size_t step = 0; step < sound.steps.size(); ++step) {
      for (const auto fault : all_disk_faults()) {
        if (!applies(fault, sound.steps[step]) || !is_due()) continue;
        calamity one = none;
        one.at_step = {step, fault};
        const auto what = name + ", " + to_string(fault) + " at step " + std::to_string(step) + " (" +
                          to_string(sound.steps[step]) + ")";
        const auto came = run(told, one, folder).play();
        all.take(what, came, sound);
        all.variants.insert(fault);
        for (std::size_t again = 0; again < came.recovery.size(); ++again) {
          for (const auto second : {disk_fault::cut_before, disk_fault::cut_after, disk_fault::write_error}) {
            if (!applies(second, came.recovery[again])) continue;
            if ((step + again) % (takes_all() ? 61 : 17) != 0) continue;
            calamity two = one;
            two.and_then = {again, second};
            all.take(what + ", then " + to_string(second) + " at step " + std::to_string(again) + " of the recovery",
                     run(told, two, folder).play(), sound);
          }
        }
      }
    }
    for (std::size_t letters = 1; letters <= sound.letters; ++letters) {
      for (const bool arrive : {true, false}) {
        if (!is_due()) continue;
        calamity one = none;
        one.after_letters = letters;
        one.last_words = arrive;
        all.take(
            name + ", ends after letter " + std::to_string(letters) + (arrive ? ", which arrives" : ", which is lost"),
            run(told, one, folder).play(), sound);
      }
    }
  }
}

}  // namespace

TEST_CASE("a conversation takes the same steps on a disk each time") {
  const scratch_folder scratch;
  calamity none;
  none.whom = "a1";
  const auto first = run(conversations()[0], none, scratch.path()).play();
  const auto second = run(conversations()[0], none, scratch.path()).play();
  CHECK(first.steps == second.steps);
  CHECK(first.transcript == second.transcript);
}

TEST_CASE("whatever ends a process, at whichever step, all that was asked for comes about, once") {
  const std::string whom = GENERATE("a1", "master", "f1");
  verdicts all;
  sweep(whom, all);
  std::printf("crash-sweep what=%s steps=%zu variants=%zu runs=%zu ends=%zu failures=%zu\n", whom.c_str(), all.steps,
              all.variants.size(), all.runs, all.ends, all.failures);
  CHECK(all.failures == 0);
  CHECK(all.ends > all.runs / 2);
}
