#pragma once

#include "actors/allocator/claimant.hpp"
#include "protocol/resources.hpp"

#include <map>

namespace troupe {

/// What one agent has, and who holds how much of it. Resources are kept without allocation tags: the claimant names the
/// role.
///
///     total = free + offered + used            (+ excess on the left, when reports claim more than there is)
///
/// A shared volume may be used any number of times, and stands in at most one outstanding offer.
class agent_account {
 public:
  struct holding {
    resources offered;
    resources used;
    bool empty() const { return offered.empty() && used.empty(); }
  };
  struct settlement {
    resources used;
    resources unused;
  };

  const resources& total() const { return total_; }
  /// What may be offered.
  const resources& free() const { return free_; }
  /// What is held beyond the total. It never comes from offers.
  const resources& excess() const { return excess_; }
  /// Never an empty one.
  const std::map<claimant, holding>& holdings() const { return holdings_; }

  // --- reports: believed even where they claim more than there is
  // ------------------------------------------------------------
  void set_total(resources total);
  /// False, and nothing happens, if so much of one name would be held as no list of resources may have.
  [[nodiscard]] bool charge(const claimant& who, const resources& used);
  /// Charges only what goes beyond what `who` uses already: a report heard twice charges once.
  [[nodiscard]] bool charge_at_least(const claimant& who, const resources& used);

  // --- moves: only what fits is moved, and returned
  // ----------------------------------------------------------------------------
  /// free → offered. Requires free().contains(bundle).
  void offer(const claimant& who, const resources& bundle);
  /// offered → used, and offered → free.
  settlement settle(const claimant& who, const resources& used, const resources& unused);
  /// used → free.
  resources release(const claimant& who, const resources& used);
  /// Everything `who` holds → free.
  void drop(const claimant& who);

  /// Puts back what save() wrote, before the first move.
  void restore(resources total, std::map<claimant, holding> holdings, resources excess);

  /// What `who` counts as having: offered and used scalars, each shared volume once.
  quantities charged(const claimant& who) const;
  /// The same for all claimants of a role together.
  quantities charged(const std::string& role) const;

  /// Throws std::logic_error.
  void check_invariants() const;

 private:
  resources held() const;
  void balance();
  void balance_after_report();
  void prune(const claimant& who);

  resources total_;
  resources free_;
  resources excess_;
  std::map<claimant, holding> holdings_;
};

}  // namespace troupe
