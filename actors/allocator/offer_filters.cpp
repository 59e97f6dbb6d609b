#include "actors/allocator/offer_filters.hpp"

#include "protocol/mutant.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe {
namespace {

constexpr std::chrono::seconds refusal_default{5};
constexpr std::chrono::hours refusal_max{365 * 24};
// Seconds beyond this do not fit into 64 bits of nanoseconds.
constexpr double representable_seconds_max = 9.2e9;

}  // namespace

void offer_filters::refuse(const claimant& who, const agent_id& agent, resources refused, monotonic_time until) {
  const key at{who.framework, who.role, agent};
  std::vector<refusal>& refusals = refusals_[at];
  for (const refusal& r : refusals) {
    if (r.until >= until && r.refused.contains(refused)) return;
  }
  const auto covered = [&](const refusal& r) { return r.until <= until && refused.contains(r.refused); };
  for (const refusal& r : refusals) by_expiry_.erase({r.until, at});
  refusals.erase(std::remove_if(refusals.begin(), refusals.end(), covered), refusals.end());
  refusals.push_back({std::move(refused), until});
  for (const refusal& r : refusals) by_expiry_.insert({r.until, at});
  by_agent_[agent].insert(at);
}

bool offer_filters::refuses(const claimant& who, const agent_id& agent, const resources& bundle) const {
  const auto found = refusals_.find(key{who.framework, who.role, agent});
  if (found == refusals_.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const refusal& r) {
    return r.refused.contains(bundle) || mutated(mutant::more_is_refused_too);
  });
}

std::vector<std::pair<agent_id, claimant>> offer_filters::expire(monotonic_time now) {
  std::vector<std::pair<agent_id, claimant>> ended;
  while (!by_expiry_.empty() && by_expiry_.begin()->first <= now) {
    const key at = by_expiry_.begin()->second;
    by_expiry_.erase(by_expiry_.begin());
    const auto found = refusals_.find(at);
    if (found == refusals_.end()) continue;
    auto& refusals = found->second;
    refusals.erase(std::remove_if(refusals.begin(), refusals.end(), [&](const refusal& r) { return r.until <= now; }),
                   refusals.end());
    if (refusals.empty()) erase(found);
    ended.push_back({std::get<2>(at), {std::get<1>(at), std::get<0>(at)}});
  }
  return ended;
}

std::optional<monotonic_time> offer_filters::next_expiry() const {
  if (by_expiry_.empty()) return std::nullopt;
  return by_expiry_.begin()->first;
}

void offer_filters::forget(const framework_id& framework) {
  auto at = refusals_.lower_bound(key{framework, "", agent_id()});
  while (at != refusals_.end() && std::get<0>(at->first) == framework) at = erase(at);
}

void offer_filters::forget(const claimant& who) {
  auto at = refusals_.lower_bound(key{who.framework, who.role, agent_id()});
  while (at != refusals_.end() && std::get<0>(at->first) == who.framework && std::get<1>(at->first) == who.role) {
    at = erase(at);
  }
}

void offer_filters::forget(const agent_id& agent) {
  const auto found = by_agent_.find(agent);
  if (found == by_agent_.end()) return;
  const std::set<key> keys = found->second;
  for (const key& at : keys) erase(refusals_.find(at));
}

std::size_t offer_filters::count(const claimant& who) const {
  std::size_t n = 0;
  for (auto at = refusals_.lower_bound(key{who.framework, who.role, agent_id()});
       at != refusals_.end() && std::get<0>(at->first) == who.framework && std::get<1>(at->first) == who.role; ++at) {
    n += at->second.size();
  }
  return n;
}

offer_filters::table::iterator offer_filters::erase(table::iterator at) {
  for (const refusal& r : at->second) by_expiry_.erase({r.until, at->first});
  const auto agent = by_agent_.find(std::get<2>(at->first));
  if (agent != by_agent_.end()) {
    agent->second.erase(at->first);
    if (agent->second.empty()) by_agent_.erase(agent);
  }
  return refusals_.erase(at);
}

void offer_filters::check_invariants() const {
  std::set<std::pair<monotonic_time, key>> by_expiry;
  std::map<agent_id, std::set<key>> by_agent;
  for (const auto& [at, refusals] : refusals_) {
    if (refusals.empty()) throw std::logic_error("offer_filters: an empty entry of " + std::get<0>(at).value());
    by_agent[std::get<2>(at)].insert(at);
    for (const refusal& r : refusals) by_expiry.insert({r.until, at});
  }
  if (by_agent != by_agent_) throw std::logic_error("offer_filters: the index by agent is wrong");
  if (by_expiry != by_expiry_) throw std::logic_error("offer_filters: the index by expiry is wrong");
}

std::optional<std::chrono::nanoseconds> refusal_time(double refuse_seconds, std::chrono::nanoseconds at_least) {
  using std::chrono::nanoseconds;
  // Also false for NaN.
  const bool representable = refuse_seconds >= 0 && refuse_seconds <= representable_seconds_max;
  if (!representable) return std::max<nanoseconds>(refusal_default, at_least);
  const nanoseconds asked{static_cast<std::int64_t>(refuse_seconds * 1e9)};
  if (asked.count() == 0) return std::nullopt;
  return std::max(std::min<nanoseconds>(asked, refusal_max), at_least);
}

}  // namespace troupe
