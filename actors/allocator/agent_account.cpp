#include "actors/allocator/agent_account.hpp"

#include "protocol/mutant.hpp"

#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

/// The part of `all` that is not shared: it exists once, and adds up.
resources exclusive(const resources& all) {
  return all - all.shared();
}

/// One copy of each shared volume.
resources once(const resources& shared) {
  resources seen;
  for (const v1::Resource& one : shared.proto()) {
    const resources copy = resources::from(one).value();
    if (!seen.contains(copy)) seen += copy;
  }
  return seen;
}

/// All copies in `shared` of volumes that are in `known`.
resources copies_of(const resources& shared, const resources& known) {
  resources found;
  for (const v1::Resource& one : shared.proto()) {
    const resources copy = resources::from(one).value();
    if (known.contains(copy)) found += copy;
  }
  return found;
}

void add_scalars(quantities& sum, const resources& r) {
  for (const auto& [name, amount] : r.scalars().amounts()) sum[name] += amount;
}

}  // namespace

void agent_account::set_total(resources total) {
  total_ = std::move(total);
  balance_after_report();
}

bool agent_account::charge(const claimant& who, const resources& used) {
  if (used.empty()) return true;
  const quantities now = held().amounts();
  for (const auto& [name, amount] : used.amounts()) {
    const auto found = now.find(name);
    if (found != now.end() && found->second > largest_amount - amount) return false;
  }
  holdings_[who].used += used;
  balance_after_report();
  return true;
}

bool agent_account::charge_at_least(const claimant& who, const resources& used) {
  const auto found = holdings_.find(who);
  if (found == holdings_.end() || mutated(mutant::used_counted_twice)) return charge(who, used);
  return charge(who, used - used.intersect(found->second.used));
}

void agent_account::offer(const claimant& who, const resources& bundle) {
  if (!free_.contains(bundle)) {
    throw std::logic_error("agent_account: offering " + bundle.text() + " to " + who.framework.value() + " of " +
                           free_.text() + " that is free");
  }
  holdings_[who].offered += bundle;
  free_ -= bundle;
}

agent_account::settlement agent_account::settle(const claimant& who, const resources& used, const resources& unused) {
  const auto found = holdings_.find(who);
  if (found == holdings_.end()) return {};
  holding& h = found->second;
  settlement fits;
  fits.used = exclusive(used).intersect(exclusive(h.offered));
  fits.unused = exclusive(unused).intersect(exclusive(h.offered) - fits.used);
  h.offered -= fits.used + fits.unused;

  // One offered copy of a shared volume serves any number of tasks, and comes back by the first word of it.
  const resources volumes = h.offered.shared();
  fits.used += copies_of(used.shared(), volumes);
  fits.unused += copies_of(unused.shared(), volumes);
  h.offered -= volumes.intersect(once(fits.used.shared() + fits.unused.shared()));

  h.used += fits.used;
  prune(who);
  balance();
  return fits;
}

resources agent_account::release(const claimant& who, const resources& used) {
  const auto found = holdings_.find(who);
  if (found == holdings_.end()) return {};
  resources fits = used.intersect(found->second.used);
  found->second.used -= fits;
  prune(who);
  balance();
  return fits;
}

void agent_account::drop(const claimant& who) {
  if (holdings_.erase(who) > 0) balance();
}

void agent_account::restore(resources total, std::map<claimant, holding> holdings, resources excess) {
  total_ = std::move(total);
  holdings_ = std::move(holdings);
  excess_ = std::move(excess);
  balance();
}

quantities agent_account::charged(const claimant& who) const {
  quantities sum;
  const auto found = holdings_.find(who);
  if (found == holdings_.end()) return sum;
  const resources all = found->second.offered + found->second.used;
  add_scalars(sum, exclusive(all));
  add_scalars(sum, once(all.shared()));
  return sum;
}

quantities agent_account::charged(const std::string& role) const {
  quantities sum;
  resources volumes;
  for (auto h = holdings_.lower_bound({role, {}}); h != holdings_.end() && h->first.role == role; ++h) {
    const resources all = h->second.offered + h->second.used;
    add_scalars(sum, exclusive(all));
    volumes += all.shared();
  }
  add_scalars(sum, once(volumes));
  return sum;
}

resources agent_account::held() const {
  resources sum;
  resources volumes;
  for (const auto& [who, h] : holdings_) {
    sum += exclusive(h.offered) + exclusive(h.used);
    volumes += h.offered.shared() + h.used.shared();
  }
  return sum + once(volumes);
}

void agent_account::balance() {
  const resources all = held();
  resources offered_volumes;
  for (const auto& [who, h] : holdings_) offered_volumes += h.offered.shared();
  const resources mine = exclusive(total_);
  const resources volumes = total_.shared();
  free_ = (mine - mine.intersect(exclusive(all))) + (volumes - volumes.intersect(offered_volumes));
  // Only shrinks here: what is beyond the total now and was so before.
  if (!excess_.empty()) excess_ = excess_.intersect(all - all.intersect(total_));
}

void agent_account::balance_after_report() {
  const resources all = held();
  excess_ = all - all.intersect(total_);
  balance();
}

void agent_account::prune(const claimant& who) {
  const auto found = holdings_.find(who);
  if (found != holdings_.end() && found->second.empty()) holdings_.erase(found);
}

void agent_account::check_invariants() const {
  const resources all = held();
  if (!(total_ + excess_).contains(all)) {
    throw std::logic_error("agent_account: holds " + all.text() + " of " + total_.text() + ", explained excess " +
                           excess_.text());
  }
  resources offered_volumes;
  for (const auto& [who, h] : holdings_) {
    if (h.empty()) throw std::logic_error("agent_account: an empty holding of " + who.framework.value());
    offered_volumes += h.offered.shared();
  }
  if (once(offered_volumes) != offered_volumes) throw std::logic_error("agent_account: a shared volume offered twice");
  // Exclusive parts add up to the total exactly; shared volumes are free unless offered.
  const resources counted = exclusive(all).intersect(exclusive(total_)) + exclusive(free_);
  if (counted != exclusive(total_)) {
    throw std::logic_error("agent_account: free " + free_.text() + " and held " + all.text() + " are not " +
                           total_.text());
  }
}

}  // namespace troupe
