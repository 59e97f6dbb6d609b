#include "actors/allocator/ledger.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

namespace troupe {
namespace {

const tally nothing;

quantities scalars_of(const resources& r) {
  return r.scalars().amounts();
}

template <class Map>
const tally& sum_in(const Map& sums, const typename Map::key_type& key) {
  const auto found = sums.find(key);
  return found == sums.end() ? nothing : found->second;
}

template <class Map>
void add_to(Map& sums, const typename Map::key_type& key, const quantities& amounts) {
  if (amounts.empty()) return;
  tally& sum = sums[key];
  sum.add(amounts);
  if (sum.empty()) sums.erase(key);
}

template <class Map>
void subtract_from(Map& sums, const typename Map::key_type& key, const quantities& amounts) {
  if (amounts.empty()) return;
  tally& sum = sums[key];
  sum.subtract(amounts);
  if (sum.empty()) sums.erase(key);
}

std::set<claimant> claimants_of(const agent_account& account) {
  std::set<claimant> all;
  for (const auto& [who, held] : account.holdings()) all.insert(who);
  return all;
}

}  // namespace

void ledger::set_total(const agent_id& agent, resources total) {
  agent_account& account = agents_[agent];
  total_.subtract(scalars_of(account.total()));
  account.set_total(std::move(total));
  total_.add(scalars_of(account.total()));
  changes_.totals = true;
  index_free(agent);
}

bool ledger::charge(const agent_id& agent, const claimant& who, const resources& used) {
  bool charged = false;
  change(agent, who, [&](agent_account& account) { charged = account.charge(who, used); });
  return charged;
}

bool ledger::charge_at_least(const agent_id& agent, const claimant& who, const resources& used) {
  bool charged = false;
  change(agent, who, [&](agent_account& account) { charged = account.charge_at_least(who, used); });
  return charged;
}

void ledger::offer(const agent_id& agent, const claimant& who, const resources& bundle) {
  change(agent, who, [&](agent_account& account) { account.offer(who, bundle); });
}

agent_account::settlement ledger::settle(const agent_id& agent, const claimant& who, const resources& used,
                                         const resources& unused) {
  agent_account::settlement fits;
  change(agent, who, [&](agent_account& account) { fits = account.settle(who, used, unused); });
  return fits;
}

resources ledger::release(const agent_id& agent, const claimant& who, const resources& used) {
  resources fits;
  change(agent, who, [&](agent_account& account) { fits = account.release(who, used); });
  return fits;
}

void ledger::restore(const agent_id& agent, resources total, std::map<claimant, agent_account::holding> holdings,
                     resources excess) {
  remove_agent(agent);
  agent_account& account = agents_[agent];
  account.restore(std::move(total), std::move(holdings), std::move(excess));
  total_.add(scalars_of(account.total()));
  changes_.totals = true;
  std::set<std::string> roles;
  for (const claimant& who : claimants_of(account)) {
    add_to(by_claimant_, who, account.charged(who));
    if (roles.insert(who.role).second) add_to(by_role_, who.role, account.charged(who.role));
    index(agent, who);
    changes_.claimants.insert(who);
  }
  index_free(agent);
}

void ledger::remove_agent(const agent_id& agent) {
  const auto found = agents_.find(agent);
  if (found == agents_.end()) return;
  for (const claimant& who : claimants_of(found->second)) {
    change(agent, who, [&](agent_account& account) { account.drop(who); });
  }
  total_.subtract(scalars_of(found->second.total()));
  changes_.totals = true;
  with_free_.erase(agent);
  agents_.erase(found);
}

std::set<agent_id> ledger::drop_framework(const framework_id& framework) {
  std::set<agent_id> freed;
  const auto held = roles_held_.find(framework);
  if (held == roles_held_.end()) return freed;
  const auto everywhere = held->second;
  for (const auto& [agent, roles] : everywhere) {
    freed.insert(agent);
    for (const std::string& role : roles) {
      const claimant who{role, framework};
      change(agent, who, [&](agent_account& account) { account.drop(who); });
    }
  }
  return freed;
}

const agent_account* ledger::find(const agent_id& agent) const {
  const auto found = agents_.find(agent);
  return found == agents_.end() ? nullptr : &found->second;
}

std::set<agent_id> ledger::held_by(const framework_id& framework) const {
  std::set<agent_id> agents;
  const auto held = roles_held_.find(framework);
  if (held == roles_held_.end()) return agents;
  for (const auto& [agent, roles] : held->second) agents.insert(agent);
  return agents;
}

const tally& ledger::charged(const claimant& who) const {
  return sum_in(by_claimant_, who);
}
const tally& ledger::charged(const std::string& role) const {
  return sum_in(by_role_, role);
}

ledger::changes ledger::take_changes() {
  return std::exchange(changes_, changes{});
}

void ledger::change(const agent_id& agent, const claimant& who, const std::function<void(agent_account&)>& move) {
  const auto found = agents_.find(agent);
  if (found == agents_.end()) return;
  agent_account& account = found->second;
  take_out(account, who);
  move(account);
  put_in(account, who);
  index(agent, who);
  index_free(agent);
  changes_.claimants.insert(who);
}

void ledger::take_out(const agent_account& account, const claimant& who) {
  subtract_from(by_claimant_, who, account.charged(who));
  subtract_from(by_role_, who.role, account.charged(who.role));
}

void ledger::put_in(const agent_account& account, const claimant& who) {
  add_to(by_claimant_, who, account.charged(who));
  add_to(by_role_, who.role, account.charged(who.role));
}

void ledger::index(const agent_id& agent, const claimant& who) {
  if (agents_.at(agent).holdings().count(who) > 0) {
    roles_held_[who.framework][agent].insert(who.role);
    return;
  }
  const auto framework = roles_held_.find(who.framework);
  if (framework == roles_held_.end()) return;
  const auto roles = framework->second.find(agent);
  if (roles == framework->second.end()) return;
  roles->second.erase(who.role);
  if (roles->second.empty()) framework->second.erase(roles);
  if (framework->second.empty()) roles_held_.erase(framework);
}

void ledger::index_free(const agent_id& agent) {
  if (agents_.at(agent).free().empty()) {
    with_free_.erase(agent);
  } else {
    with_free_.insert(agent);
  }
}

void ledger::check_invariants() const {
  tally total;
  std::map<claimant, tally> by_claimant;
  std::map<std::string, tally> by_role;
  std::set<agent_id> with_free;
  for (const auto& [id, account] : agents_) {
    try {
      account.check_invariants();
    } catch (const std::logic_error& e) {
      throw std::logic_error("ledger: agent " + id.value() + ": " + e.what());
    }
    total.add(scalars_of(account.total()));
    if (!account.free().empty()) with_free.insert(id);
    std::set<std::string> roles;
    for (const claimant& who : claimants_of(account)) {
      add_to(by_claimant, who, account.charged(who));
      if (roles.insert(who.role).second) add_to(by_role, who.role, account.charged(who.role));
      if (held_by(who.framework).count(id) == 0) {
        throw std::logic_error("ledger: framework " + who.framework.value() + " is not indexed at agent " + id.value());
      }
    }
  }
  if (total != total_) throw std::logic_error("ledger: the cluster's total is not the sum of its agents'");
  if (with_free != with_free_) throw std::logic_error("ledger: the index of agents with free resources is wrong");
  if (by_claimant != by_claimant_) throw std::logic_error("ledger: a framework's sum is not what it holds");
  if (by_role != by_role_) throw std::logic_error("ledger: a role's sum is not what it holds");
}

}  // namespace troupe
