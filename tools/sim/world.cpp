#include "tools/sim/world.hpp"

#include "troupe/internal/sdk_state.pb.h"

#include <algorithm>
#include <utility>

namespace troupe::sim {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr timeline::duration comes_to_rest_within = minutes(25);
constexpr timeline::duration leaves_within = minutes(20);

/// Builds a world and drives it.
class world_run {
 public:
  explicit world_run(const world_options& options)
      : options_(options), world_(of_cluster(options)), checks_(world_), faults_(world_), luck_(world_.luck("world")) {
    world_.add_observer(checks_);
  }

  world_result run() {
    build();
    world_result result;
    result.seed = options_.seed;
    try {
      const auto faults_end = options_.lasts * 2 / 3;
      faults_.plan(options_.chosen ? options_.only
                                   : plan_faults(world_, roles(), options_.faults, minutes(1), faults_end));
      world_.run_until(faults_end);
      faults_.heal();
      come_to_rest();
      world_.run_until(std::max(options_.lasts, world_.time().now()));
      come_to_rest();
      leave();
    } catch (const broken& b) {
      result.invariant = b.name;
      result.what = b.what();
    }
    result.hash = world_.hash();
    result.steps = world_.steps();
    result.launches = checks_.launches();
    result.starts = checks_.starts();
    result.faults = faults_.happened();
    result.by_kind = faults_.by_kind();
    result.story = faults_.story();
    result.lasted = world_.time().now();
    result.looked_at = checks_.looked_at();
    result.transcript = world_.transcript();
    return result;
  }

 private:
  static cluster_options of_cluster(const world_options& options) {
    cluster_options of;
    of.seed = options.seed;
    chance luck = chance(options.seed).part("strategy");
    of.priorities = luck.happens(0.5);
    of.doubt_every = luck.happens(0.3) ? 997 : 0;
    of.check_every = 8;
    of.keeps_transcript = options.keeps_transcript;
    of.record_to = options.record_to;
    return of;
  }

  void build() {
    master_options master;
    // Offers that nobody answers come back.
    if (luck_.happens(0.5)) master.offer_timeout = seconds(luck_.between(20, 120));
    world_.add_masters(options_.masters, master);
    for (auto& [name, p] : world_.processes()) world_.start(*p);
    for (unsigned n = 1; n <= options_.agents; ++n) {
      const auto cpus = luck_.between(2, 16);
      auto& p = world_.add_agent(
          "agent-" + std::to_string(n),
          "cpus:" + std::to_string(cpus) + ";mem:" + std::to_string(cpus * 1024) + ";disk:4096;ports:[31000-31099]");
      world_.start(p);
    }
    const double rate = std::max(1.0, std::chrono::duration<double>(options_.lasts).count() * 2 / 3 / 1100 * 2);
    for (const auto& wish : wishes(rate)) add(wish);
    for (auto& [name, h] : world_.hosts()) {
      h->drift_ppm = luck_.between(-200, 200);
      h->wall_offset = luck_.between(-seconds(5), seconds(5));
    }
  }

  /// `between_s`: two of these frameworks come to a thousand jobs in the time of the faults.
  std::vector<workload_wish> wishes(double between_s) {
    const timeline::duration between(static_cast<std::int64_t>(between_s * 0.9e9));
    std::vector<workload_wish> all(4);
    all[0].name = "services";
    all[0].services = static_cast<unsigned>(luck_.between(4, 20));
    all[0].services_end_after_s = luck_.happens(0.5) ? 600 : 0;
    all[1].name = "batch";
    all[1].jobs = 100000;
    all[1].between_jobs = between;
    all[1].job_lasts = seconds(luck_.between(1, 20));
    all[1].kills_one_in = static_cast<unsigned>(luck_.between(4, 20));
    all[1].reuses_ids_one_in = luck_.happens(0.3) ? 10 : 0;
    all[2].name = "custom";
    all[2].jobs = 100000;
    all[2].between_jobs = between;
    all[2].job_lasts = seconds(luck_.between(1, 30));
    all[2].services = static_cast<unsigned>(luck_.between(0, 4));
    all[2].custom_executor = luck_.happens(0.7);
    all[2].kills_one_in = luck_.happens(0.5) ? 9 : 0;
    all[3].name = "odd";
    switch (luck_.below(4)) {
      case 0:
        all[3].declines_everything = true;
        all[3].refuse = seconds(luck_.between(1, 60));
        break;
      case 1:
        all[3].hoards = seconds(luck_.between(5, 90));
        all[3].services = 2;
        all[3].suppresses = false;
        break;
      case 2:
        mutes_["odd"] = verb_number<v1::scheduler::Call::Acknowledge>::value;
        all[3].services = 3;
        all[3].jobs = 200;
        break;
      default:
        all[3].partition_aware = false;
        all[3].services = 5;
        all[3].failover_timeout_s = 120;
        break;
    }
    for (auto& wish : all)
      if (luck_.happens(0.2)) wish.partition_aware = false;
    return all;
  }

  void add(const workload_wish& wish) {
    auto& p = world_.add_framework(wish.name, [this, wish] {
      auto logic = std::make_shared<workload>(wish);
      checks_.watch(wish.name, logic);
      return logic;
    });
    if (const auto muted = mutes_.find(wish.name); muted != mutes_.end()) p.mutes[muted->second] = 0.7;
    if (wish.custom_executor)
      world_.add_executor_kind(wish.name + "-executor", [this](process& self) {
        return std::make_shared<timed_executor>(
            [this, &self, life = self.life](const std::string& task, timeline::duration after) {
              world_.time().after(after, [this, &self, life, task] {
                if (self.alive && self.life == life) world_.tell(self, "over", task);
              });
            });
      });
    world_.start(p);
  }

  std::map<std::string, Role> roles() {
    std::map<std::string, Role> all;
    for (const auto& [name, p] : world_.processes()) all[name] = p->role;
    return all;
  }

  /// Until nothing is wrong, at one moment.
  void come_to_rest() {
    const auto until = world_.time().now() + comes_to_rest_within;
    await(until, [this] { return checks_.complaints(); });
  }

  template <class Wrong>
  void await(timeline::duration until, Wrong wrong) {
    // A cluster at work is at rest for moments: they are looked for at odd intervals.
    for (auto pause = milliseconds(997);; pause = std::min(pause * 5 / 4, milliseconds(13999))) {
      const auto found = wrong();
      if (found.empty()) return;
      if (world_.time().now() >= until) throw broken(found.front().invariant, found.front().what);
      world_.run_for(pause);
    }
  }

  void leave() {
    for (auto& [name, p] : world_.processes())
      if (p->role == internal::FRAMEWORK && p->alive) world_.tell(*p, "leave", "");
    await(world_.time().now() + leaves_within, [this] { return checks_.leftovers(); });
  }

  const world_options options_;
  std::map<std::string, std::uint32_t> mutes_;
  cluster world_;
  checks checks_;
  fault_player faults_;
  chance luck_;
};

}  // namespace

world_result run_world(const world_options& options) {
  return world_run(options).run();
}

std::vector<fault> shrink(const world_options& options, const world_result& failed, unsigned runs_max) {
  auto left = failed.story;
  const auto still_breaks = [&](const std::vector<fault>& only) {
    auto again = options;
    again.only = only;
    again.chosen = true;
    again.keeps_transcript = false;
    return run_world(again).invariant == failed.invariant;
  };
  std::size_t parts = 2;
  for (unsigned runs = 0; left.size() > 1 && runs < runs_max;) {
    const auto size = (left.size() + parts - 1) / parts;
    bool smaller = false;
    for (std::size_t first = 0; first < left.size() && runs < runs_max; first += size) {
      auto rest = left;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(first),
                 rest.begin() + static_cast<std::ptrdiff_t>(std::min(first + size, left.size())));
      ++runs;
      if (!still_breaks(rest)) continue;
      left = std::move(rest);
      parts = std::max<std::size_t>(parts - 1, 2);
      smaller = true;
      break;
    }
    if (smaller) continue;
    if (size == 1) break;
    parts = std::min(parts * 2, left.size());
  }
  return left;
}

}  // namespace troupe::sim
