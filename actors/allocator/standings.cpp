#include "actors/allocator/standings.hpp"

#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

const share_order nobody;

share_order::rank rank_of(const share_order& order, const std::string& name) {
  const auto found = order.members().find(name);
  if (found == order.members().end()) return {{}, 0, name};
  return {found->second.share, found->second.grants, name};
}

}  // namespace

void standings::set_weight(const std::string& role, weight w) {
  if (w == weight_of(role)) return;
  if (w == weight{}) {
    weights_.erase(role);
  } else {
    weights_[role] = w;
  }
  pending_roles_.insert(role);
}

void standings::set_claim(const claimant& who, claim c) {
  if (c == claim::none) {
    claims_.erase(who);
  } else {
    claims_[who] = c;
  }
  pending_claimants_.insert(who);
}

void standings::count_grant(const claimant& who) {
  roles_.count_grant(who.role);
  frameworks_[who.role].count_grant(who.framework.value());
}

void standings::refresh(ledger& books) {
  ledger::changes changed = books.take_changes();
  changed.claimants.merge(std::exchange(pending_claimants_, {}));
  std::set<std::string> roles = std::exchange(pending_roles_, {});
  for (const claimant& who : changed.claimants) {
    rank(who, books);
    roles.insert(who.role);
  }
  // After all of their frameworks: a role without any is forgotten, with its grants.
  for (const std::string& role : roles) rank_role(role, books);
  if (changed.totals) rank_all(books);
}

void standings::rank(const claimant& who, const ledger& books) {
  share_order& order = frameworks_[who.role];
  const tally& charged = books.charged(who);
  const claim c = claim_of(who);
  if (c == claim::none && charged.empty()) {
    order.erase(who.framework.value());
  } else {
    order.place(who.framework.value(), dominant_share::of(charged, books.total()), c == claim::competing);
  }
}

void standings::rank_role(const std::string& role, const ledger& books) {
  const auto found = frameworks_.find(role);
  if (found != frameworks_.end() && found->second.members().empty()) frameworks_.erase(found);
  if (frameworks_.count(role) == 0) {
    roles_.erase(role);
    return;
  }
  const bool competing = !frameworks_.at(role).competing().empty();
  roles_.place(role, dominant_share::of(books.charged(role), books.total(), weight_of(role)), competing);
}

void standings::rank_all(const ledger& books) {
  for (auto& [role, order] : frameworks_) {
    const auto members = order.members();
    for (const auto& [name, m] : members) {
      const claimant who{role, framework_id(name)};
      order.place(name, dominant_share::of(books.charged(who), books.total()), m.competing);
    }
    const bool competing = !order.competing().empty();
    roles_.place(role, dominant_share::of(books.charged(role), books.total(), weight_of(role)), competing);
  }
}

const share_order& standings::frameworks(const std::string& role) const {
  const auto found = frameworks_.find(role);
  return found == frameworks_.end() ? nobody : found->second;
}

bool standings::before(const claimant& a, const claimant& b) const {
  if (a.role != b.role) return rank_of(roles_, a.role) < rank_of(roles_, b.role);
  const share_order& order = frameworks(a.role);
  return rank_of(order, a.framework.value()) < rank_of(order, b.framework.value());
}

weight standings::weight_of(const std::string& role) const {
  const auto found = weights_.find(role);
  return found == weights_.end() ? weight{} : found->second;
}

claim standings::claim_of(const claimant& who) const {
  const auto found = claims_.find(who);
  return found == claims_.end() ? claim::none : found->second;
}

void standings::restore_grants(const std::string& role, std::uint64_t count) {
  roles_.count_grant(role, count);
}

void standings::restore_grants(const claimant& who, std::uint64_t count) {
  frameworks_[who.role].count_grant(who.framework.value(), count);
}

void standings::check_invariants(const ledger& books) const {
  if (!pending_claimants_.empty() || !pending_roles_.empty())
    throw std::logic_error("standings: claims or weights changed and were not ranked");
  roles_.check_invariants();
  for (const auto& [role, order] : frameworks_) {
    order.check_invariants();
    const share_order::rank rank = rank_of(roles_, role);
    if (rank.share != dominant_share::of(books.charged(role), books.total(), weight_of(role))) {
      throw std::logic_error("standings: the share of role " + role + " is out of date");
    }
    if (order.members().empty()) throw std::logic_error("standings: role " + role + " has no members");
    if (roles_.members().at(role).competing == order.competing().empty()) {
      throw std::logic_error("standings: role " + role + " competes without a framework that does, or the reverse");
    }
    for (const auto& [name, m] : order.members()) {
      const claimant who{role, framework_id(name)};
      if (m.share != dominant_share::of(books.charged(who), books.total())) {
        throw std::logic_error("standings: the share of framework " + name + " in role " + role + " is out of date");
      }
      if (m.competing != (claim_of(who) == claim::competing)) {
        throw std::logic_error("standings: framework " + name + " competes for role " + role + " unasked");
      }
    }
  }
  if (roles_.members().size() != frameworks_.size())
    throw std::logic_error("standings: a role is ranked without members");
  for (const auto& [id, account] : books.agents()) {
    for (const auto& [who, held] : account.holdings()) {
      if (books.charged(who).empty() || frameworks(who.role).members().count(who.framework.value()) > 0) continue;
      throw std::logic_error("standings: framework " + who.framework.value() + " holds for role " + who.role +
                             " and is not ranked");
    }
  }
  for (const auto& [who, c] : claims_) {
    if (frameworks(who.role).members().count(who.framework.value()) == 0) {
      throw std::logic_error("standings: framework " + who.framework.value() + " is missing in role " + who.role);
    }
  }
}

}  // namespace troupe
