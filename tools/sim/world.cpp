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
    of.check_every = 16;
    of.keeps_completed = false;  // pictures of what is over take longer to draw than all else
    of.keeps_transcript = options.keeps_transcript;
    of.record_to = options.record_to;
    return of;
  }

  void build() {
    master_options master;
    // Offers that nobody answers come back.
    if (luck_.happens(0.5)) master.offer_timeout = seconds(luck_.between(20, 120));
    master.completed_tasks_max = 50;
    world_.add_masters(options_.masters, master);
    for (auto& [name, p] : world_.processes()) world_.start(*p);
    add_agents();
    const double rate = std::max(1.0, std::chrono::duration<double>(options_.lasts).count() * 2 / 3 / 1100 * 2);
    for (const auto& wish : wishes(rate)) add(wish);
    add_guests();
    for (auto& [name, h] : world_.hosts()) {
      h->drift_ppm = luck_.between(-200, 200);
      h->wall_offset = luck_.between(-seconds(5), seconds(5));
    }
    if (luck_.happens(0.2)) {  // it is slow while everybody comes
      world_.network.delay = milliseconds(300);
      world_.network.delay_max = seconds(10);
      world_.time().after(minutes(1), [this] { world_.network = network_habits(); });
    }
    checks_.look_often();
  }

  // --- machines ------------------------------------------------------------------------------------------------------

  std::string resources_of_agent(unsigned n) {
    auto cpus = luck_.between(2, 16);
    if (is_tight_ && n % 4 == 0) cpus = luck_.between(1, 4);
    if (n % 4 == 3) cpus = luck_.between(10, 16);  // so that all can be done
    auto mem = cpus * 1024;
    // Of one thing there is always too little.
    if (n % 4 == 1) mem = luck_.between(1, 4) * 256;
    if (n % 4 == 2) cpus = 1;
    std::string text =
        "cpus:" + std::to_string(cpus) + ";mem:" + std::to_string(mem) + ";disk:4096;ports:[31000-31099]";
    if (has_reservations_ && n % 3 == 0) text += ";cpus(web):2;mem(web):1024";
    if (has_gpus_ && n % 6 == 5) text += ";gpus:2";
    return text;
  }

  void add_agents() {
    is_tight_ = luck_.happens(0.3);
    has_reservations_ = has_roles_ = luck_.happens(0.6);
    has_gpus_ = luck_.happens(0.2);
    const auto late = luck_.between(0, 3);
    for (unsigned n = 1; n <= options_.agents; ++n) {
      auto& p = world_.add_agent("agent-" + std::to_string(n), resources_of_agent(n));
      if (options_.agents - n < late)
        at_some_time([this, &p] { world_.start(p); });
      else
        world_.start(p);
    }
    // One gets more of everything, and is started anew for that.
    for (auto more = luck_.between(0, 2); more > 0; --more) at_some_time([this, &p = any_agent()] { enlarge(p); });
    // One breaks, and nobody mends it.
    if (luck_.happens(0.4))
      at_some_time([this, &p = any_agent(), takes_master = luck_.happens(0.5)] {
        if (!p.alive) return;
        p.restart_after = timeline::duration(-1);
        world_.end(p, "its machine is broken for good");
        world_.reboot(*p.home, timeline::duration(0));
        if (auto* leading = world_.leading_master(); leading && takes_master)
          world_.end(*leading, "so is its rack's switch");
      });
  }

  process& any_agent() {
    return world_.find("agent-" + std::to_string(luck_.between(1, static_cast<std::int64_t>(options_.agents))));
  }

  void enlarge(process& p) {
    p.resources += ";cpus:1;mem:512";
    world_.remark(p.name + " has more than before: " + p.resources);
    if (p.alive) world_.end(p, "it is to be configured anew");
  }

  /// While faults happen.
  template <class What>
  void at_some_time(What what) {
    world_.time().at(luck_.between(minutes(2), options_.lasts * 2 / 3 - minutes(2)), std::move(what));
  }

  // --- frameworks ----------------------------------------------------------------------------------------------------

  /// `between_s`: two of these frameworks come to a thousand jobs in the time of the faults.
  std::vector<workload_wish> wishes(double between_s) {
    const timeline::duration between(static_cast<std::int64_t>(between_s * 0.9e9));
    std::vector<workload_wish> all(4);
    auto& services = all[0];
    services.name = "services";
    services.services = static_cast<unsigned>(luck_.between(4, 20));
    services.services_end_after_s = luck_.happens(0.5) ? 600 : 0;
    services.takes_gpus = has_gpus_;
    auto& batch = all[1];
    batch.name = "batch";
    batch.jobs = 100000;
    batch.between_jobs = between;
    batch.job_lasts = seconds(luck_.between(1, 20));
    batch.kills_one_in = one_in(4, 20, 1);
    batch.reuses_ids_one_in = luck_.happens(0.2) ? 10 : 0;
    batch.kills_at_launch_one_in = one_in(5, 20, 0.4);
    batch.ignores_term_one_in = one_in(2, 6, 0.4);
    batch.ends_well_one_in = one_in(2, 6, 0.4);
    batch.limited_one_in = one_in(12, 30, 0.5);
    batch.limit = seconds(luck_.between(60, 300));
    if (luck_.happens(0.5)) batch.kill_grace = seconds(luck_.between(5, 150));
    auto& custom = all[2];
    custom.name = "custom";
    custom.jobs = 100000;
    custom.between_jobs = between;
    custom.job_lasts = seconds(luck_.between(1, 30));
    custom.services = static_cast<unsigned>(luck_.between(0, 4));
    custom.custom_executor = luck_.happens(0.85);
    custom.kills_one_in = one_in(5, 12, 0.6);
    custom.kills_at_launch_one_in = one_in(3, 10, 0.6);
    custom.executors = static_cast<unsigned>(luck_.between(1, 3));
    if (luck_.happens(0.5)) custom.starts_slowly = milliseconds(luck_.between(100, 8000));
    custom.deaf_one_in = one_in(10, 30, 0.3);
    all[3] = odd_one(between);
    for (auto& wish : all) add_habits(wish);
    return all;
  }

  unsigned one_in(std::int64_t least, std::int64_t most, double how_often) {
    const auto n = luck_.between(least, most);
    return luck_.happens(how_often) ? static_cast<unsigned>(n) : 0;
  }

  workload_wish odd_one(timeline::duration between) {
    workload_wish odd;
    odd.name = "odd";
    switch (luck_.below(5)) {
      case 0:
        odd.declines_everything = true;
        odd.refuse = seconds(luck_.between(1, 60));
        break;
      case 1:
        odd.hoards = seconds(luck_.between(5, 90));
        odd.services = 2;
        odd.suppresses = false;
        break;
      case 2:
        odd.services = 3;
        odd.jobs = 100000;
        odd.between_jobs = between * 2;
        odd.doubts = seconds(luck_.between(5, 60));
        break;
      case 3:
        // It looks at everything, takes nothing, and refuses nothing.
        odd.declines_everything = true;
        odd.hoards = seconds(luck_.between(5, 30));
        odd.refuse = seconds(0);
        break;
      default:
        odd.partition_aware = false;
        odd.services = 5;
        odd.failover_timeout_s = 120;
        break;
    }
    return odd;
  }

  void add_habits(workload_wish& wish) {
    if (luck_.happens(0.2)) wish.partition_aware = false;
    if (luck_.happens(0.5)) wish.refuse = seconds(luck_.between(120, 900));
    if (wish.declines_everything && wish.hoards.count() != 0) wish.refuse = seconds(0);
    wish.insists = luck_.happens(0.3);
    wish.kills_unreachable = luck_.happens(0.3);
    if (luck_.happens(0.4)) {
      wish.gathers = milliseconds(luck_.between(500, 30000));
      wish.suppresses = wish.suppresses && luck_.happens(0.5);
    }
    if (luck_.happens(0.2)) wish.doubts = seconds(luck_.between(5, 120));
    if (has_roles_) {
      wish.role = luck_.happens(0.5) ? "web" : "data";
      if (luck_.happens(0.5)) wish.roles = {"web", "data"};
    }
    wish.speaks_for_itself = luck_.happens(0.4);
    if (wish.speaks_for_itself && luck_.happens(0.7)) wish.changes_roles = seconds(luck_.between(30, 400));
    // Some answer late, or lose what they answer; some say things twice.
    if (luck_.happens(0.35)) mutes_[wish.name] = 0.3 + luck_.portion() * 0.6;
    if (luck_.happens(0.35)) stutters_[wish.name] = 0.05 + luck_.portion() * 0.4;
  }

  process& add(const workload_wish& wish) {
    auto& p = world_.add_framework(wish.name, [this, wish] {
      auto logic = std::make_shared<workload>(wish);
      checks_.watch(wish.name, logic);
      voices_[wish.name] = logic;
      return logic;
    });
    if (wish.speaks_for_itself) p.voice = [this, name = wish.name](outbox& out) { voices_[name]->speak(out); };
    using call = v1::scheduler::Call;
    if (const auto muted = mutes_.find(wish.name); muted != mutes_.end())
      p.mutes[verb_number<call::Acknowledge>::value] = muted->second;
    if (const auto stuttering = stutters_.find(wish.name); stuttering != stutters_.end())
      for (const auto verb : {verb_number<call::Accept>::value, verb_number<call::Acknowledge>::value,
                              verb_number<call::Kill>::value, verb_number<call::Decline>::value})
        p.stutters[verb] = stuttering->second;
    if (wish.custom_executor) {
      const bool stops_idle = luck_.happens(0.4);
      const auto make = [this, stops_idle](process& self) {
        auto logic = std::make_shared<timed_executor>(
            [this, &self, life = self.life](const std::string& event, const std::string& task,
                                            timeline::duration after) {
              world_.time().after(after, [this, name = self.name, life, event, task] {
                const auto p = world_.processes().find(name);
                if (p != world_.processes().end() && p->second->alive && p->second->life == life)
                  world_.tell(*p->second, event, task);
              });
            },
            stops_idle);
        checks_.watch(self.name, logic);
        return logic;
      };
      world_.add_executor_kind(wish.name + "-executor", make);
      for (unsigned n = 0; n < wish.executors; ++n)
        world_.add_executor_kind(wish.name + "-executor-" + std::to_string(n), make);
    }
    world_.start(p);
    return p;
  }

  /// Frameworks that may be away for longer than their failover timeout, or for ever; one of two schedulers that take
  /// turns.
  void add_guests() {
    for (unsigned n = static_cast<unsigned>(luck_.between(1, 2)); n > 0; --n) {
      workload_wish wish;
      wish.name = "guest-" + std::to_string(n);
      wish.services = static_cast<unsigned>(luck_.between(2, 6));
      wish.failover_timeout_s = static_cast<double>(luck_.between(60, 600));
      add_habits(wish);
      wish.declines_everything = false;
      auto& p = add(wish);
      const bool returns = luck_.happens(0.5);
      const auto away = seconds(static_cast<std::int64_t>(wish.failover_timeout_s * (0.3 + 1.5 * luck_.portion())));
      at_some_time([this, &p, returns, away] {
        if (!p.alive || p.is_over()) return;
        p.restart_after = returns ? timeline::duration(away) : timeline::duration(-1);
        world_.end(p, returns ? "it is away for a while" : "it is gone for good");
        if (returns) p.restart_after = seconds(1);
      });
    }
    if (!luck_.happens(0.5)) return;
    workload_wish wish;
    wish.name = "pair-a";
    wish.services = 3;
    wish.suppresses = false;
    wish.hoards = seconds(luck_.between(5, 60));
    add_habits(wish);
    add(wish);
    at_some_time([this, wish] {
      auto heir = wish;
      heir.name = "pair-b";
      auto& p = world_.add_framework(heir.name, [this, heir, named = wish] {
        auto logic = std::make_shared<workload>(named);
        checks_.watch(heir.name, logic);
        voices_[heir.name] = logic;
        return logic;
      });
      if (wish.speaks_for_itself) p.voice = [this](outbox& out) { voices_["pair-b"]->speak(out); };
      world_.inherit(p, world_.find("pair-a"));
      world_.start(p);
    });
  }

  std::map<std::string, Role> roles() {
    std::map<std::string, Role> all;
    for (const auto& [name, p] : world_.processes()) all[name] = p->role;
    return all;
  }

  void come_to_rest() {
    await(world_.time().now() + comes_to_rest_within, [this] { return checks_.complaints(); });
  }

  /// Until nothing has been wrong all the time. A cluster at work is never at rest altogether: what counts is what
  /// stays wrong from each look to the next.
  template <class Wrong>
  void await(timeline::duration until, Wrong wrong) {
    std::map<std::string, complaint> lasting;
    bool is_first = true;
    for (auto pause = milliseconds(997);; pause = std::min(pause * 5 / 4, milliseconds(13999))) {
      std::map<std::string, complaint> still;
      for (auto& each : wrong()) {
        auto key = each.invariant + " " + each.about;
        if (is_first || lasting.count(key) != 0) still.emplace(std::move(key), std::move(each));
      }
      lasting = std::move(still);
      is_first = false;
      if (lasting.empty()) return;
      const auto& first = lasting.begin()->second;
      if (world_.time().now() >= until) throw broken(first.invariant, first.what);
      world_.run_for(pause);
    }
  }

  void leave() {
    for (auto& [name, p] : world_.processes())
      if (p->role == internal::FRAMEWORK && p->alive) world_.tell(*p, "leave", "");
    // Who has gone for good is removed by the leading master's clock.
    await(world_.time().now() + leaves_within + checks_.clocks_apart(), [this] { return checks_.leftovers(); });
  }

  const world_options options_;
  std::map<std::string, double> mutes_, stutters_;
  std::map<std::string, std::shared_ptr<workload>> voices_;
  bool is_tight_ = false, has_roles_ = false, has_reservations_ = false, has_gpus_ = false;
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
