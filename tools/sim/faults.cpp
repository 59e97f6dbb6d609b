#include "tools/sim/faults.hpp"

#include "tools/sim/connection.hpp"
#include "tools/sim/coordination.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <utility>

namespace troupe::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using duration = timeline::duration;

constexpr duration pause_between_mild = minutes(6);
constexpr duration pause_between_harsh = seconds(50);
constexpr duration outlasts_pings = seconds(80);
constexpr int traps_at_once = 3;

/// How long such a fault lasts, in most cases and at most.
std::pair<duration, duration> lengths(fault_kind kind) {
  switch (kind) {
    case fault_kind::kill_master:
    case fault_kind::kill_agent:
    case fault_kind::kill_framework:
    case fault_kind::kill_executor:
      return {seconds(2), minutes(4)};
    case fault_kind::pause:
      return {seconds(10), minutes(3)};
    case fault_kind::reboot:
      return {seconds(40), minutes(5)};
    case fault_kind::cut:
    case fault_kind::cut_one_way:
    case fault_kind::cut_off:
      return {seconds(15), minutes(6)};
    case fault_kind::flap:
      return {seconds(60), minutes(4)};
    case fault_kind::slow_network:
    case fault_kind::slow_disk:
      return {seconds(60), minutes(5)};
    case fault_kind::full_disk:
      return {seconds(30), minutes(3)};
    case fault_kind::failing_disk:
      return {seconds(10), minutes(1)};
    case fault_kind::bad_containers:
      return {minutes(2), minutes(10)};
    case fault_kind::lost_answers:
      return {minutes(1), minutes(5)};
    case fault_kind::partition:
      return {minutes(2), minutes(9)};
    case fault_kind::long_absence:
      return {minutes(2), minutes(8)};
    case fault_kind::hanging_disk:
      return {minutes(2), minutes(4)};
    case fault_kind::lost_container:
      return {seconds(2), seconds(30)};
    case fault_kind::two_leaders:
      return {seconds(20), minutes(1)};
    case fault_kind::break_links:
    case fault_kind::clock_jump:
    case fault_kind::end_container:
    case fault_kind::expire_session:
    case fault_kind::at_letter:
    case fault_kind::one_sided:
      return {duration(0), duration(0)};
  }
  return {};
}

std::vector<std::string> of_role(const std::map<std::string, Role>& processes, Role role) {
  std::vector<std::string> found;
  for (const auto& [name, r] : processes)
    if (r == role) found.push_back(name);
  return found;
}

std::string any_of(chance& luck, const std::vector<std::string>& names) {
  return names.empty() ? std::string() : luck.one_of(names);
}

}  // namespace

const char* name_of(fault_kind kind) {
  switch (kind) {
    case fault_kind::kill_master:
      return "kill_master";
    case fault_kind::kill_agent:
      return "kill_agent";
    case fault_kind::kill_framework:
      return "kill_framework";
    case fault_kind::kill_executor:
      return "kill_executor";
    case fault_kind::pause:
      return "pause";
    case fault_kind::reboot:
      return "reboot";
    case fault_kind::cut:
      return "cut";
    case fault_kind::cut_one_way:
      return "cut_one_way";
    case fault_kind::cut_off:
      return "cut_off";
    case fault_kind::flap:
      return "flap";
    case fault_kind::slow_network:
      return "slow_network";
    case fault_kind::break_links:
      return "break_links";
    case fault_kind::slow_disk:
      return "slow_disk";
    case fault_kind::full_disk:
      return "full_disk";
    case fault_kind::failing_disk:
      return "failing_disk";
    case fault_kind::clock_jump:
      return "clock_jump";
    case fault_kind::bad_containers:
      return "bad_containers";
    case fault_kind::end_container:
      return "end_container";
    case fault_kind::expire_session:
      return "expire_session";
    case fault_kind::lost_answers:
      return "lost_answers";
    case fault_kind::partition:
      return "partition";
    case fault_kind::long_absence:
      return "long_absence";
    case fault_kind::at_letter:
      return "at_letter";
    case fault_kind::one_sided:
      return "one_sided";
    case fault_kind::hanging_disk:
      return "hanging_disk";
    case fault_kind::lost_container:
      return "lost_container";
    case fault_kind::two_leaders:
      return "two_leaders";
  }
  return "";
}

std::string fault::text() const {
  char when[32];
  std::snprintf(when, sizeof when, "%.3fs", std::chrono::duration<double>(at).count());
  std::string line = std::string("at ") + when + " " + name_of(kind);
  if (!target.empty()) line += " " + target;
  if (!other.empty()) line += " " + other;
  if (lasts.count() != 0) {
    std::snprintf(when, sizeof when, "%.3fs", std::chrono::duration<double>(lasts).count());
    line += std::string(" for ") + when;
  }
  return line;
}

std::vector<fault> plan_faults(const cluster& world, const std::map<std::string, Role>& processes, fault_level level,
                               timeline::duration from, timeline::duration to, int kinds_max) {
  std::vector<fault> plan;
  if (level == fault_level::none) return plan;
  auto luck = world.luck("faults");
  // A swarm: some kinds never, some seldom, some often.
  std::vector<fault_kind> kinds;
  while (kinds.size() < 4)
    for (int k = 0; k < kinds_max; ++k)
      for (auto weight = luck.below(2) == 0 ? 0 : 1 + luck.below(4) * luck.below(3); weight > 0; --weight)
        kinds.push_back(static_cast<fault_kind>(k));
  // Most bugs need something at one moment and no other.
  if (kinds_max == fault_kinds)
    for (auto weight = kinds.size() * luck.below(3) / 2; weight > 0; --weight) kinds.push_back(fault_kind::at_letter);
  const auto between = level == fault_level::mild ? pause_between_mild : pause_between_harsh;
  std::vector<std::string> all;
  for (const auto& [name, role] : processes) all.push_back(name);
  const auto agents = of_role(processes, internal::AGENT);
  for (auto at = from + luck.around(between); at < to; at += luck.around(between)) {
    fault f;
    f.at = at;
    f.kind = luck.one_of(kinds);
    f.luck = luck.next();
    const auto [usual, most] = lengths(f.kind);
    if (most.count() > 0) f.lasts = std::min<duration>(luck.around(usual), most);
    if (f.kind == fault_kind::partition || f.kind == fault_kind::hanging_disk)
      f.lasts = std::min(most, f.lasts + outlasts_pings);
    f.target = any_of(luck, all);
    switch (f.kind) {
      case fault_kind::kill_master:
      case fault_kind::expire_session:
        f.target = any_of(luck, of_role(processes, internal::MASTER));
        break;
      case fault_kind::kill_agent:
      case fault_kind::kill_executor:
      case fault_kind::reboot:
      case fault_kind::bad_containers:
      case fault_kind::end_container:
      case fault_kind::partition:
      case fault_kind::lost_container:
        f.target = any_of(luck, agents);
        break;
      case fault_kind::hanging_disk:
        if (luck.happens(0.7)) f.target = any_of(luck, agents);
        break;
      case fault_kind::kill_framework:
      case fault_kind::long_absence:
        f.target = any_of(luck, of_role(processes, internal::FRAMEWORK));
        break;
      case fault_kind::cut:
      case fault_kind::cut_one_way:
      case fault_kind::flap:
        // Between those that talk, as a rule: with a master at one end.
        f.other = luck.happens(0.8)   ? any_of(luck, of_role(processes, internal::MASTER))
                  : luck.happens(0.5) ? std::string("coordination")
                                      : any_of(luck, all);
        if (f.kind == fault_kind::cut_one_way && luck.happens(0.5)) std::swap(f.target, f.other);
        break;
      case fault_kind::break_links:
      case fault_kind::lost_answers:
      case fault_kind::slow_network:
      case fault_kind::at_letter:
      case fault_kind::two_leaders:
        f.target.clear();
        break;
      default:
        break;
    }
    plan.push_back(std::move(f));
  }
  return plan;
}

void fault_player::plan(const std::vector<fault>& all) {
  for (const auto& f : all)
    world_.time().at(f.at, [this, f, era = era_] {
      if (era != era_ || !begin(f)) return;
      ++happened_;
      ++by_kind_[f.kind];
      story_.push_back(f);
    });
}

void fault_player::after(timeline::duration wait, timeline::action what) {
  world_.time().after(wait, [this, what = std::move(what), era = era_]() mutable {
    if (era == era_) what();
  });
}

void fault_player::cut(const std::string& a, const std::string& b, bool both, timeline::duration lasts) {
  const auto& near = *world_.hosts().at(a);
  const auto& far = *world_.hosts().at(b);
  world_.block(near, far);
  if (both) world_.block(far, near);
  after(lasts, [this, &near, &far, both] {
    world_.unblock(near, far);
    if (both) world_.unblock(far, near);
  });
}

/// False: there is nothing now that it could happen to.
bool fault_player::begin(const fault& f) {
  chance luck(f.luck);
  const auto found = world_.processes().find(f.target);
  auto* p = found == world_.processes().end() ? nullptr : found->second.get();
  switch (f.kind) {
    case fault_kind::kill_master:
    case fault_kind::kill_agent:
    case fault_kind::kill_framework:
    case fault_kind::long_absence:
      if (!p || !p->alive || p->restart_after.count() < 0) return false;
      world_.remark("FAULT " + f.text());
      crash(*p, f.lasts);
      return true;
    case fault_kind::partition:
      if (world_.hosts().count(f.target) == 0) return false;
      world_.remark("FAULT " + f.text());
      for (const auto& [name, other] : world_.processes())
        if (other->role == internal::MASTER) cut(f.target, other->home->name, true, f.lasts);
      return true;
    case fault_kind::at_letter:
      for (int n = 0; n < traps_at_once; ++n) lay_trap(f, chance(luck.next()));
      return true;
    case fault_kind::one_sided:
      if (!p || !p->alive || !p->up) return false;
      world_.remark("FAULT " + f.text());
      world_.half_break_link(*p, luck.happens(0.5));
      return true;
    case fault_kind::hanging_disk:
      if (!p) return false;
      world_.remark("FAULT " + f.text());
      p->store->hang(f.lasts);
      return true;
    case fault_kind::lost_container: {
      if (!p || !p->alive || !p->home->containers || p->restart_after.count() < 0) return false;
      const auto running = p->home->containers->running();
      if (running.empty()) return false;
      world_.remark("FAULT " + f.text());
      crash(*p, f.lasts);
      auto at = running.begin();
      std::advance(at, static_cast<std::ptrdiff_t>(luck.below(running.size())));
      p->home->containers->lose(at->first);
      return true;
    }
    case fault_kind::two_leaders:
      return make_two_leaders(f, world_.leading_master(), luck);
    case fault_kind::kill_executor: {
      std::vector<process*> custom;
      for (const auto& [name, other] : world_.processes())
        if (other->alive && !other->container.empty() && other->home->name == f.target) custom.push_back(other.get());
      if (custom.empty()) return false;
      auto& victim = *luck.one_of(custom);
      world_.remark("FAULT " + f.text() + ": " + victim.name);
      world_.end(victim, "killed");
      return true;
    }
    case fault_kind::pause:
      if (!p || !p->alive || p->paused) return false;
      world_.remark("FAULT " + f.text());
      world_.pause(*p);
      after(f.lasts, [this, p, life = p->life] {
        if (p->alive && p->life == life) world_.resume(*p);
      });
      return true;
    case fault_kind::reboot:
      if (!p || !p->home->is_up) return false;
      world_.remark("FAULT " + f.text());
      world_.reboot(*p->home, f.lasts);
      return true;
    case fault_kind::cut:
    case fault_kind::cut_one_way:
      if (f.target == f.other || world_.hosts().count(f.target) == 0 || world_.hosts().count(f.other) == 0)
        return false;
      world_.remark("FAULT " + f.text());
      cut(f.target, f.other, f.kind == fault_kind::cut, f.lasts);
      return true;
    case fault_kind::cut_off:
      if (world_.hosts().count(f.target) == 0) return false;
      world_.remark("FAULT " + f.text());
      for (const auto& [name, h] : world_.hosts())
        if (name != f.target) cut(f.target, name, true, f.lasts);
      return true;
    case fault_kind::flap: {
      if (f.target == f.other || world_.hosts().count(f.target) == 0 || world_.hosts().count(f.other) == 0)
        return false;
      world_.remark("FAULT " + f.text());
      for (duration at{0}; at < f.lasts;) {
        const auto off = luck.around(seconds(8));
        after(at, [this, f, off] { cut(f.target, f.other, true, off); });
        at += off + luck.around(seconds(8)) + milliseconds(1);
      }
      return true;
    }
    case fault_kind::slow_network:
      world_.remark("FAULT " + f.text());
      world_.network.delay = luck.between(milliseconds(5), milliseconds(800));
      world_.network.delay_max = seconds(15);
      world_.network.repeats_at_reconnect = luck.happens(0.5) ? 0.5 : 0;
      after(f.lasts, [this] {
        const network_habits usual;
        world_.network = usual;
      });
      return true;
    case fault_kind::break_links:
      world_.remark("FAULT " + f.text());
      for (auto& [name, other] : world_.processes())
        if (other->alive && luck.happens(0.9)) world_.break_link(*other);
      return true;
    case fault_kind::slow_disk:
    case fault_kind::full_disk:
    case fault_kind::failing_disk:
      if (!p) return false;
      world_.remark("FAULT " + f.text());
      if (f.kind == fault_kind::slow_disk) {
        p->store->habits.sync = luck.between(milliseconds(20), seconds(2));
        p->store->habits.sync_max = seconds(10);
      }
      if (f.kind == fault_kind::full_disk) p->store->habits.full = true;
      if (f.kind == fault_kind::failing_disk) p->store->habits.fails = 0.3;
      after(f.lasts, [p] { p->store->habits = disk_habits(); });
      return true;
    case fault_kind::clock_jump:
      if (!p) return false;
      world_.remark("FAULT " + f.text());
      p->home->wall_offset += luck.between(-minutes(60), minutes(60));
      return true;
    case fault_kind::bad_containers: {
      if (!p || !p->home->containers) return false;
      world_.remark("FAULT " + f.text());
      auto& habits = p->home->containers->habits;
      habits.start = luck.between(milliseconds(5), seconds(2));
      habits.start_max = seconds(90);
      habits.start_fails = luck.portion() * 0.2;
      habits.ends_badly = luck.portion() * 0.3;
      habits.stubborn = luck.portion() * 0.5;
      habits.hardly_ends = luck.portion() * 0.2;
      after(f.lasts, [&habits] { habits = container_habits(); });
      return true;
    }
    case fault_kind::end_container: {
      if (!p || !p->home->containers) return false;
      const auto running = p->home->containers->running();
      if (running.empty()) return false;
      world_.remark("FAULT " + f.text());
      auto at = running.begin();
      std::advance(at, static_cast<std::ptrdiff_t>(luck.below(running.size())));
      p->home->containers->end(at->first, SIGSEGV);
      return true;
    }
    case fault_kind::expire_session:
      if (!p || !p->alive || !world_.coordination()) return false;
      world_.remark("FAULT " + f.text());
      world_.coordination()->expire(*p);
      return true;
    case fault_kind::lost_answers:
      if (!world_.coordination()) return false;
      world_.remark("FAULT " + f.text());
      world_.coordination()->loses_answers = luck.portion() * 0.3;
      after(f.lasts, [this] { world_.coordination()->loses_answers = 0; });
      return true;
  }
  return false;
}

void fault_player::crash(process& p, timeline::duration away) {
  if (!p.alive || p.restart_after.count() < 0) return;
  const auto usual = std::exchange(p.restart_after, away);
  world_.end(p, "killed");
  p.restart_after = usual;
}

namespace {

/// Letters whose loss somebody has to make good.
const std::vector<std::uint32_t>& letters_that_matter() {
  namespace s = v1::scheduler;
  namespace e = v1::executor;
  static const std::vector<std::uint32_t> all = {verb_number<internal::RunTask>::value,
                                                 verb_number<internal::RunTask>::value,
                                                 verb_number<internal::KillTask>::value,
                                                 verb_number<internal::AcknowledgeStatus>::value,
                                                 verb_number<internal::StatusUpdated>::value,
                                                 verb_number<internal::StatusUpdated>::value,
                                                 verb_number<internal::AgentRegistered>::value,
                                                 verb_number<internal::ReregisterAgent>::value,
                                                 verb_number<internal::ExecutorExited>::value,
                                                 verb_number<internal::ShutdownFramework>::value,
                                                 verb_number<s::Call::Accept>::value,
                                                 verb_number<s::Call::Acknowledge>::value,
                                                 verb_number<s::Call::Kill>::value,
                                                 verb_number<s::Call::Subscribe>::value,
                                                 verb_number<s::Event::Offers>::value,
                                                 verb_number<s::Event::Rescind>::value,
                                                 verb_number<s::Event::Update>::value,
                                                 verb_number<s::Event::Subscribed>::value,
                                                 verb_number<e::Call::Update>::value,
                                                 verb_number<e::Call::Update>::value,
                                                 verb_number<e::Call::Subscribe>::value,
                                                 verb_number<e::Event::Launch>::value,
                                                 verb_number<e::Event::Launch>::value,
                                                 verb_number<e::Event::Kill>::value,
                                                 verb_number<e::Event::Acknowledged>::value,
                                                 verb_number<e::Event::Subscribed>::value};
  return all;
}

}  // namespace

void fault_player::lay_trap(const fault& f, chance luck) {
  letter_trap trap;
  trap.verb = luck.one_of(letters_that_matter());
  const auto how = luck.below(6);
  const auto away = luck.happens(0.7) ? luck.around(seconds(3)) : luck.around(minutes(2));
  const auto cut_for = outlasts_pings + luck.around(minutes(1));
  const auto soon = luck.happens(0.5) ? duration(0) : luck.around(milliseconds(10));
  world_.remark("FAULT " + f.text() + ": " + std::string(verb_name(trap.verb)));
  trap.spring = [this, how, away, cut_for, soon](process& from, process& to) {
    world_.remark("FAULT at a letter from " + from.name + " to " + to.name);
    auto& dialler = from.up && from.up->far.of == &to ? from : to;
    switch (how) {
      case 0:  // before it leaves
        crash(from.container.empty() ? from : to, away);
        return false;
      case 1:
        after(soon, [this, name = to.name, away] {
          if (const auto there = world_.processes().find(name); there != world_.processes().end())
            crash(*there->second, away);
        });
        return true;
      case 2:
        if (from.home != to.home) {
          cut(from.home->name, to.home->name, true, cut_for);
          return true;
        }
        if (auto& executor = from.container.empty() ? to : from; !executor.container.empty())
          after(duration(0), [&executor] { executor.home->containers->end(executor.container, SIGSEGV); });
        return true;
      case 3:
        world_.half_break_link(dialler, &dialler == &to);
        return true;
      default:
        after(duration(0), [this, &dialler] { world_.break_link(dialler); });
        return true;
    }
  };
  world_.lay(std::move(trap));
}

/// For as long as the former one believes that it leads, those who hear the late news do what it says.
bool fault_player::make_two_leaders(const fault& f, process* leading, chance luck) {
  if (!leading || !world_.coordination()) return false;
  world_.remark("FAULT " + f.text() + ": " + leading->name);
  world_.coordination()->expire(*leading);
  cut(leading->home->name, world_.coordination()->home().name, true, f.lasts);
  for (auto& [name, p] : world_.processes()) {
    if (p->role != internal::AGENT && p->role != internal::FRAMEWORK) continue;
    if (luck.happens(0.5)) {
      world_.keep_uninformed(*p, luck.between(seconds(3), seconds(12)));
      continue;
    }
    if (luck.happens(0.3)) continue;
    const bool restarts = p->role == internal::AGENT && luck.happens(0.3);
    const auto soon = luck.between(milliseconds(500), seconds(4));
    after(soon, [this, p = p.get(), leading, restarts, lasts = f.lasts] {
      if (!p->alive) return;
      if (restarts) crash(*p, milliseconds(200));
      world_.mislead(*p, *leading, lasts);
    });
  }
  return true;
}

void fault_player::heal() {
  ++era_;
  world_.remark("from here on nothing goes wrong");
  world_.clear_traps();
  world_.network = network_habits();
  if (world_.coordination()) world_.coordination()->loses_answers = 0;
  world_.unblock_all();
  for (auto& [name, p] : world_.processes()) {
    p->store->habits = disk_habits();
    p->mutes.clear();
    if (p->home->containers) p->home->containers->habits = container_habits();
    world_.resume(*p);
  }
}

}  // namespace troupe::sim
