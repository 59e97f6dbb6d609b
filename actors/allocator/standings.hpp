#pragma once

#include "actors/allocator/claimant.hpp"
#include "actors/allocator/dominant_share.hpp"
#include "actors/allocator/ledger.hpp"
#include "actors/allocator/share_order.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace troupe {

/// Does a framework want offers for a role? `resting`: it is subscribed, but suppressed or not connected.
enum class claim { none, resting, competing };

/// Who has how much of what is due to him: roles ranked by weighted dominant share, and in each role its frameworks by
/// theirs. Policies read it. What it ranks by is in the ledger; refresh() brings it up to date at a cost proportional
/// to what changed there.
class standings {
 public:
  /// Also for roles that nobody has yet.
  void set_weight(const std::string& role, weight w);
  void set_claim(const claimant& who, claim c);
  /// Breaks ties between equal shares: who was served less often is next.
  void count_grant(const claimant& who);
  void refresh(ledger& books);

  bool anybody_competes() const { return !roles_.competing().empty(); }
  /// Roles with somebody who wants resources, first who is next; likewise the frameworks of one role, by id.
  const share_order& roles() const { return roles_; }
  const share_order& frameworks(const std::string& role) const;
  /// Is `a` served before `b`? Only for claimants that compete.
  bool before(const claimant& a, const claimant& b) const;

  weight weight_of(const std::string& role) const;
  const std::map<std::string, weight>& weights() const { return weights_; }
  claim claim_of(const claimant& who) const;

  // --- for save and load
  // ---------------------------------------------------------------------------------------------------------
  void restore_grants(const std::string& role, std::uint64_t count);
  void restore_grants(const claimant& who, std::uint64_t count);

  /// Every rank against the ledger; nothing may be left to refresh. Throws std::logic_error naming role and framework.
  void check_invariants(const ledger& books) const;

 private:
  void rank(const claimant& who, const ledger& books);
  void rank_role(const std::string& role, const ledger& books);
  void rank_all(const ledger& books);

  std::map<std::string, weight> weights_;
  std::map<claimant, claim> claims_;
  share_order roles_;
  std::map<std::string, share_order> frameworks_;
  // Claims and weights that changed since the last refresh.
  std::set<claimant> pending_claimants_;
  std::set<std::string> pending_roles_;
};

}  // namespace troupe
