#pragma once

#include "actors/allocator/agent_account.hpp"
#include "actors/allocator/claimant.hpp"
#include "actors/allocator/tally.hpp"
#include "protocol/ids.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>

namespace troupe {

/// Who has what: the account of every agent, and the sums over them that shares are computed from. Nobody else computes
/// what is free.
///
/// Every change goes through one agent's account and is added to the sums at once; moves that name an unknown agent do
/// nothing. It knows frameworks and roles only by what they hold, so that tasks can be charged before their framework
/// is known.
class ledger {
 public:
  /// What has changed since somebody last asked.
  struct changes {
    bool totals = false;
    std::set<claimant> claimants;
  };

  // --- reports and moves, as in agent_account
  // ----------------------------------------------------------------------------------
  void set_total(const agent_id& agent, resources total);
  [[nodiscard]] bool charge(const agent_id& agent, const claimant& who, const resources& used);
  [[nodiscard]] bool charge_at_least(const agent_id& agent, const claimant& who, const resources& used);
  void offer(const agent_id& agent, const claimant& who, const resources& bundle);
  agent_account::settlement settle(const agent_id& agent, const claimant& who, const resources& used,
                                   const resources& unused);
  resources release(const agent_id& agent, const claimant& who, const resources& used);
  void restore(const agent_id& agent, resources total, std::map<claimant, agent_account::holding> holdings,
               resources excess);

  void remove_agent(const agent_id& agent);
  /// Frees all that the framework holds; returns the agents where it held something.
  std::set<agent_id> drop_framework(const framework_id& framework);

  // --- questions
  // ---------------------------------------------------------------------------------------------------------------
  const std::map<agent_id, agent_account>& agents() const { return agents_; }
  /// Null if unknown. Valid until the agent is removed.
  const agent_account* find(const agent_id& agent) const;
  /// Agents that have something to offer.
  const std::set<agent_id>& with_free() const { return with_free_; }
  /// Where the framework holds something.
  std::set<agent_id> held_by(const framework_id& framework) const;
  /// All agents' scalars together.
  const tally& total() const { return total_; }
  const tally& charged(const claimant& who) const;
  const tally& charged(const std::string& role) const;

  changes take_changes();

  /// Every account in itself, and every sum against the accounts. Throws std::logic_error naming the ids.
  void check_invariants() const;

 private:
  /// Runs `move` on the agent's account and carries what it changed for `who` over into the sums.
  void change(const agent_id& agent, const claimant& who, const std::function<void(agent_account&)>& move);
  void take_out(const agent_account& account, const claimant& who);
  void put_in(const agent_account& account, const claimant& who);
  void index(const agent_id& agent, const claimant& who);
  void index_free(const agent_id& agent);

  std::map<agent_id, agent_account> agents_;
  std::set<agent_id> with_free_;
  // Under which roles the framework holds something there.
  std::map<framework_id, std::map<agent_id, std::set<std::string>>> roles_held_;
  tally total_;
  std::map<claimant, tally> by_claimant_;
  std::map<std::string, tally> by_role_;
  changes changes_;
};

}  // namespace troupe
