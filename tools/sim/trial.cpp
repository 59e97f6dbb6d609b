#include "tools/sim/trial.hpp"

#include "protocol/resources.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

namespace troupe::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr timeline::duration trial_rests_within = minutes(25);
constexpr timeline::duration first_fault_after = minutes(1);
constexpr int looks_at_progress = 500;
constexpr unsigned large_from = 200;  // agents
constexpr seconds unknown_task_lasts{10};
constexpr minutes wave_every{5};
constexpr unsigned workload_frameworks = 2;  // of each sort: there is no fairness with one

class trial {
 public:
  explicit trial(const trial_options& options)
      : options_(options), world_(of_cluster(options)), figures_(world_), checks_(world_), faults_(world_) {
    world_.add_observer(figures_);  // before the invariants: a framework's own mistake is named first
    world_.add_observer(checks_);
  }

  trial_report run() {
    trial_report report;
    try {
      build();
      const auto faults_end = options_.lasts * 2 / 3;
      faults_.plan(plan_faults(world_, roles(), options_.faults, first_fault_after, faults_end, fault_kinds_of_trials));
      drive(faults_end);
      faults_.heal();
      drive(options_.lasts);
      come_to_rest(report);
    } catch (const broken& b) {
      report.breaks.push_back({b.name, b.what()});
    } catch (const std::exception& e) {
      report.breaks.push_back({"exception", e.what()});
    }
    collect(report);
    return report;
  }

 private:
  static cluster_options of_cluster(const trial_options& options) {
    cluster_options of;
    of.seed = options.seed;
    // What an invariant costs grows with the cluster; a large one is there for its figures.
    const bool is_large = options.agents > large_from;
    of.check_every = is_large ? 0 : 64;
    of.keeps_completed = !is_large;
    of.tells = options.trace;
    return of;
  }

  void build() {
    if (options_.masters == 1)
      world_.add_lone_master({});
    else
      world_.add_masters(options_.masters, {});
    for (auto& [name, p] : world_.processes()) world_.start(*p);
    const auto each = resources::parse(options_.agent_resources).value();
    for (unsigned n = 1; n <= options_.agents; ++n) {
      world_.start(world_.add_agent("agent-" + std::to_string(n), options_.agent_resources));
      figures_.add_agent(each.scalar("cpus"), each.scalar("mem"));
    }
    world_.add_executor_kind("", [this](process& self) {
      return std::make_shared<timed_executor>(
          [this, &self](const std::string& event, const std::string& task, timeline::duration after) {
            wake(self, event, task, after);
          });
    });
    if (options_.framework)
      add(own_name(), options_.framework);
    else
      for (const auto& wish : wishes()) add(wish);
  }

  /// As it describes itself: a mended one must meet what it met before it was mended, wherever it was loaded from.
  std::string own_name() {
    const auto name = options_.framework()->describe().name();
    return name.empty() || world_.processes().count(name) != 0 || world_.hosts().count(name) != 0 ? "framework" : name;
  }

  /// A task of a custom executor is over.
  void wake(process& executor, const std::string& event, const std::string& task, timeline::duration after) {
    if (after.count() <= 0) after = unknown_task_lasts;
    world_.time().after(after, [this, &executor, life = executor.life, event, task] {
      if (executor.alive && executor.life == life) world_.tell(executor, event, task);
    });
  }

  std::vector<workload_wish> wishes() const {
    std::vector<workload_wish> all;
    const bool mixed = options_.workload == trial_workload::mixed;
    const auto services = options_.workload == trial_workload::services ? options_.tasks
                          : mixed                                       ? options_.tasks / 10
                                                                        : 0;
    const auto jobs = options_.tasks - services;
    const auto share = [](std::uint64_t of, unsigned n) {
      return of / workload_frameworks + (n < of % workload_frameworks ? 1 : 0);
    };
    for (unsigned n = 0; n < workload_frameworks; ++n) {
      const auto letter = std::string(1, static_cast<char>('a' + n));
      if (services != 0) {
        workload_wish wish;
        wish.name = wish.role = "services-" + letter;
        wish.services = static_cast<unsigned>(share(services, n));
        all.push_back(wish);
      }
      if (jobs != 0) {
        workload_wish wish;
        wish.name = wish.role = "batch-" + letter;
        wish.jobs = share(jobs, n);
        // All are begun while faults still happen.
        const auto waves = std::max<std::int64_t>(options_.lasts * 6 / 10 / wave_every, 1);
        wish.jobs_at_once = std::max<std::uint64_t>(wish.jobs / static_cast<std::uint64_t>(waves), 1);
        wish.between_jobs = options_.lasts * 6 / 10 /
                            std::max<std::int64_t>(static_cast<std::int64_t>(wish.jobs / wish.jobs_at_once), 1);
        wish.job_lasts = std::min<timeline::duration>(minutes(5), options_.lasts / 10);
        all.push_back(wish);
      }
    }
    return all;
  }

  void add(const std::string& name, const cluster::scheduler_maker& make) {
    auto& p = world_.add_framework(name, make);
    figures_.add_framework(name);
    frameworks_.push_back(&p);
    world_.start(p);
  }

  void add(const workload_wish& wish) {
    wanted_ += wish.services + wish.jobs;
    add(wish.name, [this, wish] {
      auto& logic = workloads_[wish.name];
      if (logic) {  // a former life
        auto& kept = waits_[wish.name];
        kept.insert(kept.end(), logic->waits().begin(), logic->waits().end());
      }
      logic = std::make_shared<workload>(wish);
      return logic;
    });
  }

  std::map<std::string, Role> roles() {
    std::map<std::string, Role> all;
    for (const auto& [name, p] : world_.processes()) all[name] = p->role;
    return all;
  }

  void drive(timeline::duration until) {
    const auto part = std::max<timeline::duration>(options_.lasts / looks_at_progress, milliseconds(1));
    while (world_.time().now() < until) {
      world_.run_until(std::min(until, world_.time().now() + part));
      if (options_.progress) options_.progress(world_, figures_);
    }
  }

  // --- at rest -------------------------------------------------------------------------------------------------------

  std::vector<complaint> look() {
    auto all = checks_.complaints();
    for (auto& each : figures_.fates()) all.push_back(std::move(each));
    for (const auto* p : frameworks_) {
      // Whoever has ended itself owes nothing.
      if (p->alive || p->restart_after.count() >= 0) continue;
      all.erase(
          std::remove_if(all.begin(), all.end(), [&](const auto& c) { return c.what == p->name + " is not running"; }),
          all.end());
    }
    return all;
  }

  void come_to_rest(trial_report& report) {
    const auto until = world_.time().now() + trial_rests_within;
    std::map<std::string, complaint> lasting;
    bool first = true;
    for (auto pause = milliseconds(997);; pause = std::min(pause * 5 / 4, milliseconds(63997))) {
      std::map<std::string, complaint> still;
      for (auto& each : look()) {
        auto key = each.invariant + " " + each.about;
        if (first || lasting.count(key) != 0) still.emplace(std::move(key), std::move(each));
      }
      lasting = std::move(still);
      first = false;
      if (lasting.empty()) return;
      if (world_.time().now() >= until) break;
      world_.run_for(pause);
    }
    for (const auto& [key, each] : lasting)
      if (std::none_of(report.breaks.begin(), report.breaks.end(),
                       [&](const auto& b) { return b.invariant == each.invariant; }))
        report.breaks.push_back({each.invariant, each.invariant + ": " + each.what});
  }

  void collect(trial_report& report) {
    report.hash = world_.hash();
    report.steps = world_.steps();
    report.events = world_.time().happened();
    report.letters_lost = world_.letters_lost();
    report.lasted = world_.time().now();
    report.wanted = wanted_;
    report.running = figures_.running();
    report.running_max = figures_.running_max();
    report.cpus_used = figures_.cpus_used();
    report.mem_used = figures_.mem_used();
    report.frameworks = figures_.frameworks();
    report.faults = faults_.by_kind();
    report.story = faults_.story();
    report.looked_at = checks_.looked_at();
    report.waits_are_of_tasks = !options_.framework;
    if (options_.framework) return;
    for (auto& f : report.frameworks) {
      const auto& last = workloads_[f.name]->waits();
      f.waits = std::move(waits_[f.name]);
      f.waits.insert(f.waits.end(), last.begin(), last.end());
    }
  }

  const trial_options options_;
  cluster world_;
  figures figures_;
  checks checks_;
  fault_player faults_;
  std::vector<process*> frameworks_;
  std::map<std::string, std::shared_ptr<workload>> workloads_;
  std::map<std::string, std::vector<std::chrono::nanoseconds>> waits_;  // of former lives
  std::uint64_t wanted_ = 0;
};

}  // namespace

std::uint64_t trial_report::sum(std::uint64_t framework_figures::*what) const {
  std::uint64_t all = 0;
  for (const auto& f : frameworks) all += f.*what;
  return all;
}

trial_report run_trial(const trial_options& options) {
  return trial(options).run();
}

std::chrono::nanoseconds quantile(std::vector<std::chrono::nanoseconds>& all, double portion) {
  if (all.empty()) return {};
  std::sort(all.begin(), all.end());
  return all[std::min(all.size() - 1, static_cast<std::size_t>(portion * static_cast<double>(all.size())))];
}

}  // namespace troupe::sim
