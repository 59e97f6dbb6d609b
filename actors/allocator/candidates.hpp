#pragma once

#include "actors/allocator/claimant.hpp"
#include "protocol/ids.hpp"

#include <map>
#include <set>

namespace troupe {

/// What an event has made worth looking at again. Agents and claimants that are not in here were looked at before and
/// cannot have anything for each other: that is what keeps a run's cost proportional to what changed.
class candidates {
 public:
  /// The agent may have something for anybody.
  void add(const agent_id& agent) { agents_.insert(agent); }
  /// The claimant may take something anywhere.
  void add(const claimant& who) { everywhere_.insert(who); }
  /// The claimant may take something there.
  void add(const agent_id& agent, const claimant& who) { pairs_[agent].insert(who); }

  bool empty() const { return agents_.empty() && everywhere_.empty() && pairs_.empty(); }
  void clear() { *this = {}; }

  /// The agents to look at, of those that have something free.
  std::set<agent_id> agents(const std::set<agent_id>& with_free) const;
  bool for_anybody(const agent_id& agent) const { return agents_.count(agent) > 0; }
  /// Whom to ask there if it is not for anybody.
  std::set<claimant> claimants(const agent_id& agent) const;

 private:
  std::set<agent_id> agents_;
  std::set<claimant> everywhere_;
  std::map<agent_id, std::set<claimant>> pairs_;
};

}  // namespace troupe
