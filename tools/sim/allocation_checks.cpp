#include "tools/sim/allocation_checks.hpp"

#include "tools/sim/heard.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::sim {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using capability = v1::FrameworkInfo::Capability;

constexpr seconds allocation_interval{1};
constexpr seconds refusal_usually{5};
constexpr hours refusal_max{365 * 24};
constexpr seconds idle_max{3};
constexpr std::uint64_t grants_apart_max = 2;
// Either is worth an offer: a hundredth of a cpu, 32 MB.
constexpr milli least_cpus = 10;
constexpr milli least_mem = 32'000;

bool can(const v1::FrameworkInfo& info, capability::Type type) {
  return std::any_of(info.capabilities().begin(), info.capabilities().end(),
                     [type](const auto& c) { return c.type() == type; });
}

resources without(const resources& all, const resources& taken) {
  return all - all.intersect(taken);
}

bool is_worth_an_offer(const resources& what) {
  return what.scalar("cpus") >= least_cpus || what.scalar("mem") >= least_mem;
}

std::string text_of(const std::pair<std::string, std::string>& who) {
  return who.first + " (" + who.second + ")";
}

}  // namespace

// --- what it hears ---------------------------------------------------------------------------------------------------

std::string allocation_checks::untagged_role(const std::string& framework) const {
  const auto found = frameworks_.find(framework);
  return found == frameworks_.end() || found->second.roles.size() != 1 ? "*" : *found->second.roles.begin();
}

std::map<std::string, resources> allocation_checks::by_role(
    const google::protobuf::RepeatedPtrField<v1::Resource>& list, const std::string& otherwise) const {
  std::map<std::string, google::protobuf::RepeatedPtrField<v1::Resource>> parts;
  for (const auto& one : list)
    *parts[one.allocation_info().has_role() ? one.allocation_info().role() : otherwise].Add() = one;
  std::map<std::string, resources> found;
  for (const auto& [role, part] : parts) found[role] = sum_of(part);
  return found;
}

void allocation_checks::add(const internal::AddAgent& m) {
  const auto& id = m.info().id().value();
  const auto known = agents_.find(id);
  if (known != agents_.end() && known->second.info.attributes_size() != m.info().attributes_size())
    forget_refusals_at(id);
  auto& a = agents_[id];
  a.info = m.info();
  a.total = sum_of(m.total());
  a.has_gpus = a.total.scalar("gpus") > 0;
  a.free.reset();
  for (const auto& used : m.used())
    for (const auto& [role, what] : by_role(used.resources(), untagged_role(used.framework_id().value()))) {
      auto& held = a.holdings[{used.framework_id().value(), role}].used;
      held += without(what, held);  // what is said again counts once
    }
}

void allocation_checks::subscribe(const v1::FrameworkInfo& info,
                                  const google::protobuf::RepeatedPtrField<std::string>& suppressed, bool active) {
  const auto& id = info.id().value();
  std::set<std::string> roles(info.roles().begin(), info.roles().end());
  if (!can(info, capability::MULTI_ROLE)) roles = {"*"};
  if (const auto known = frameworks_.find(id); known != frameworks_.end())
    for (const auto& role : known->second.roles)
      if (roles.count(role) == 0) forget_refusals(id, role);
  auto& f = frameworks_[id];
  f.roles = std::move(roles);
  f.suppressed = {suppressed.begin(), suppressed.end()};
  f.active = active;
  f.takes_gpus = can(info, capability::GPU_RESOURCES);
  f.understands_refinement = can(info, capability::RESERVATION_REFINEMENT);
  if (!active) forget_refusals(id);
}

void allocation_checks::forget_refusals(const std::string& framework, const std::string& role) {
  for (auto it = refusals_.lower_bound({framework, role, ""});
       it != refusals_.end() && std::get<0>(it->first) == framework && std::get<1>(it->first) == role;)
    it = refusals_.erase(it);
}

void allocation_checks::forget_refusals(const std::string& framework) {
  for (auto it = refusals_.lower_bound({framework, "", ""});
       it != refusals_.end() && std::get<0>(it->first) == framework;)
    it = refusals_.erase(it);
}

void allocation_checks::forget_refusals_at(const std::string& agent) {
  for (auto it = refusals_.begin(); it != refusals_.end();)
    it = std::get<2>(it->first) == agent ? refusals_.erase(it) : std::next(it);
}

void allocation_checks::settle(const internal::SettleOffer& m, const context& now) {
  const auto found = agents_.find(m.agent_id().value());
  if (found == agents_.end()) return;
  const claimant who{m.framework_id().value(), m.role()};
  if (frameworks_.count(who.first) == 0) return;
  const auto used = sum_of(m.used()), unused = sum_of(m.unused());
  auto& held = found->second.holdings[who];
  look("I5");
  if (!held.offered.contains(used + unused))
    throw broken("I5", "an offer of " + (used + unused).text() + " to " + text_of(who) + " on " + found->first +
                           " is settled, of which only " + held.offered.text() + " is open");
  held.offered -= used + unused;
  held.used += used;
  found->second.free.reset();
  if (!m.has_filters() || unused.empty()) return;
  const auto& f = frameworks_.at(who.first);
  if (!f.active || f.roles.count(who.second) == 0) return;
  const double asked = m.filters().refuse_seconds();
  std::chrono::nanoseconds lasts = refusal_usually;
  if (asked >= 0 && asked < std::chrono::duration<double>(refusal_max).count())
    lasts = std::chrono::nanoseconds(static_cast<std::int64_t>(asked * 1e9));
  // Who takes nothing and refuses nothing is not asked again at once.
  if (lasts.count() == 0 && !used.empty()) return;
  refusals_[{who.first, who.second, found->first}].push_back(
      {unused, now.now + std::max<std::chrono::nanoseconds>(lasts, allocation_interval)});
}

void allocation_checks::release(const internal::ReleaseResources& m) {
  const auto found = agents_.find(m.agent_id().value());
  if (found == agents_.end()) return;
  const auto& id = m.framework_id().value();
  for (const auto& [role, what] : by_role(m.resources(), untagged_role(id))) {
    auto& held = found->second.holdings[{id, role}].used;
    held = without(held, what);
  }
  found->second.free.reset();
}

void allocation_checks::hear(const mail& heard, const context& now) {
  if (as<internal::Recovered>(heard)) {
    const auto looks = std::move(looks_);
    *this = allocation_checks();
    looks_ = looks;
  } else if (const auto* added = as<internal::AddAgent>(heard)) {
    add(*added);
  } else if (const auto* removed = as<internal::RemoveAgent>(heard)) {
    agents_.erase(removed->agent_id().value());
    forget_refusals_at(removed->agent_id().value());
  } else if (const auto* set = as<internal::SetAgentActive>(heard)) {
    if (const auto found = agents_.find(set->agent_id().value()); found != agents_.end())
      found->second.active = set->active();
  } else if (const auto* arrived = as<internal::AddFramework>(heard)) {
    subscribe(arrived->info(), arrived->suppressed_roles(), !arrived->has_active() || arrived->active());
  } else if (const auto* updated = as<internal::UpdateFramework>(heard)) {
    if (const auto found = frameworks_.find(updated->info().id().value()); found != frameworks_.end())
      subscribe(updated->info(), updated->suppressed_roles(), found->second.active);
  } else if (const auto* gone = as<internal::RemoveFramework>(heard)) {
    const auto& id = gone->framework_id().value();
    frameworks_.erase(id);
    forget_refusals(id);
    for (auto& [at, a] : agents_) {
      auto first = a.holdings.lower_bound({id, ""});
      while (first != a.holdings.end() && first->first.first == id) first = a.holdings.erase(first);
      a.free.reset();
    }
  } else if (const auto* there = as<internal::SetFrameworkActive>(heard)) {
    const auto& id = there->framework_id().value();
    if (const auto found = frameworks_.find(id); found != frameworks_.end()) {
      found->second.active = there->active();
      if (!there->active()) forget_refusals(id);
    }
  } else if (const auto* rests = as<internal::SuppressRoles>(heard)) {
    if (const auto found = frameworks_.find(rests->framework_id().value()); found != frameworks_.end()) {
      if (rests->roles().empty()) found->second.suppressed = found->second.roles;
      found->second.suppressed.insert(rests->roles().begin(), rests->roles().end());
    }
  } else if (const auto* wants = as<internal::ReviveRoles>(heard)) {
    const auto& id = wants->framework_id().value();
    const auto found = frameworks_.find(id);
    if (found == frameworks_.end()) return;
    std::set<std::string> roles(wants->roles().begin(), wants->roles().end());
    for (const auto& role : roles.empty() ? found->second.roles : roles) {
      found->second.suppressed.erase(role);
      forget_refusals(id, role);
    }
  } else if (const auto* settled = as<internal::SettleOffer>(heard)) {
    settle(*settled, now);
  } else if (const auto* ended = as<internal::ReleaseResources>(heard)) {
    release(*ended);
  } else if (const auto* charged = as<internal::ChargeResources>(heard)) {
    const auto found = agents_.find(charged->agent_id().value());
    if (found == agents_.end()) return;
    const auto& id = charged->framework_id().value();
    for (const auto& [role, what] : by_role(charged->resources(), untagged_role(id)))
      found->second.holdings[{id, role}].used += what;
    found->second.free.reset();
  }
}

// --- what it says ----------------------------------------------------------------------------------------------------

const resources& allocation_checks::free_of(agent& a) {
  if (a.free) return *a.free;
  resources held;
  for (const auto& [who, holding] : a.holdings) held += holding.offered + holding.used;
  a.free = without(a.total, held);
  return *a.free;
}

bool allocation_checks::competes(const claimant& who) const {
  const auto found = frameworks_.find(who.first);
  if (found == frameworks_.end()) return false;
  const auto& f = found->second;
  return f.active && f.roles.count(who.second) != 0 && f.suppressed.count(who.second) == 0;
}

bool allocation_checks::holds_nothing(const claimant& who) const {
  return std::all_of(agents_.begin(), agents_.end(), [&](const auto& entry) {
    const auto found = entry.second.holdings.find(who);
    return found == entry.second.holdings.end() || (found->second.offered.empty() && found->second.used.empty());
  });
}

bool allocation_checks::refuses(const claimant& who, const std::string& at, const resources& what,
                                monotonic_time now) const {
  const auto found = refusals_.find({who.first, who.second, at});
  return found != refusals_.end() && std::any_of(found->second.begin(), found->second.end(), [&](const refusal& r) {
           return r.until > now && r.what.contains(what);
         });
}

resources allocation_checks::share_of(const claimant& who, const agent& of, const resources& what) const {
  const auto& f = frameworks_.at(who.first);
  if (of.has_gpus && !f.takes_gpus) return {};
  return what.allocatable_to(who.second);
}

bool allocation_checks::would_take(const claimant& who, const std::string& id, const agent& of, const resources& what,
                                   monotonic_time now) const {
  if (!of.active || !competes(who)) return false;
  const auto share = share_of(who, of, what);
  return is_worth_an_offer(share) && !refuses(who, id, share, now);
}

void allocation_checks::offer(const internal::ResourcesOffered& m, const context& now) {
  const claimant who{m.framework_id().value(), m.role()};
  const auto known = frameworks_.find(who.first);
  look("I6");
  if (known == frameworks_.end() || !known->second.active)
    throw broken("I6", text_of(who) + " is offered something, and is not there");
  if (known->second.roles.count(who.second) == 0)
    throw broken("I6", text_of(who) + " is offered something, and is not in that role");
  if (known->second.suppressed.count(who.second) != 0)
    throw broken("I6", text_of(who) + " is offered something, and has said that it wants nothing");
  for (const auto& share : m.shares()) {
    const auto& id = share.agent_id().value();
    const auto what = sum_of(share.resources());
    const auto found = agents_.find(id);
    look("I4");
    if (found == agents_.end() || !found->second.active)
      throw broken("I4", what.text() + " of " + id + " is offered, which is not there");
    auto& a = found->second;
    if (!free_of(a).contains(what))
      throw broken("I4", what.text() + " of " + id + " is offered, of which " + free_of(a).text() + " is free");
    if (!(share_of(who, a, what) == what))
      throw broken("I4", text_of(who) + " is offered " + what.text() + " of " + id + ", which is not for it");
    if (refuses(who, id, what, now.now))
      throw broken("I6", text_of(who) + " is offered " + what.text() + " of " + id + ", and has refused that");
    a.holdings[who].offered += what;
    a.free.reset();
    ++grants_[who];
    const auto refused = refusals_.find({who.first, who.second, id});
    if (refused == refusals_.end()) continue;
    auto& all = refused->second;
    all.erase(std::remove_if(all.begin(), all.end(), [&](const refusal& r) { return r.until <= now.now; }), all.end());
  }
}

void allocation_checks::look_for_idle(const context& now) {
  if (now.now < next_look_) return;
  next_look_ = now.now + seconds(1);
  look("I6");
  std::map<std::pair<std::string, claimant>, monotonic_time> idle;
  for (auto& [id, a] : agents_) {
    const auto& free = free_of(a);
    if (!a.active || free.empty()) continue;
    for (const auto& [name, f] : frameworks_)
      for (const auto& role : f.roles) {
        const claimant who{name, role};
        if (!would_take(who, id, a, free, now.now)) continue;
        const auto before = idle_.find({id, who});
        const auto since = before == idle_.end() ? now.now : before->second;
        if (now.now - since > idle_max)
          throw broken("I6", free.text() + " of " + id + " lies idle, and nobody offers it to " + text_of(who));
        idle.emplace(std::pair(id, who), since);
      }
  }
  idle_ = std::move(idle);
}

/// Of those who held nothing before this step, and could have had what others of their role got in it.
void allocation_checks::look_for_the_passed_over(const outbox& out, const std::set<claimant>& empty_before,
                                                 const context& now) {
  for (const auto& said : out.letters) {
    if (said.verb != verb_number<internal::ResourcesOffered>::value) continue;
    const auto& m = static_cast<const internal::ResourcesOffered&>(*said.body);
    const claimant who{m.framework_id().value(), m.role()};
    if (empty_before.count(who) == 0) continue;
    for (const auto& other : empty_before) {
      if (other == who || other.second != who.second || !competes(other) || !holds_nothing(other)) continue;
      look("I6");
      const auto ahead = grants_[who] - static_cast<std::uint64_t>(m.shares_size());
      if (ahead <= grants_[other] + grants_apart_max) continue;
      for (const auto& share : m.shares()) {
        const auto& id = share.agent_id().value();
        if (would_take(other, id, agents_.at(id), sum_of(share.resources()), now.now))
          throw broken("I6", text_of(who) + " is offered " + id + " although it was given " + std::to_string(ahead) +
                                 " times, and " + text_of(other) + " holds nothing and was given " +
                                 std::to_string(grants_[other]) + " times");
      }
    }
  }
}

void allocation_checks::on_step(const mail& heard, const context& now, const outbox& out) {
  hear(heard, now);
  const bool offers = std::any_of(out.letters.begin(), out.letters.end(), [](const letter& said) {
    return said.verb == verb_number<internal::ResourcesOffered>::value;
  });
  if (offers) {
    std::set<claimant> empty;
    for (const auto& [name, f] : frameworks_)
      for (const auto& role : f.roles)
        if (f.active && holds_nothing({name, role})) empty.insert({name, role});
    for (const auto& said : out.letters)
      if (said.verb == verb_number<internal::ResourcesOffered>::value)
        offer(static_cast<const internal::ResourcesOffered&>(*said.body), now);
    if (empty.size() > 1) look_for_the_passed_over(out, empty, now);
  }
  look_for_idle(now);
}

}  // namespace troupe::sim
