#include "actors/allocator/candidates.hpp"

namespace troupe {

std::set<agent_id> candidates::agents(const std::set<agent_id>& with_free) const {
  if (!everywhere_.empty()) return with_free;
  std::set<agent_id> all;
  for (const agent_id& agent : agents_) {
    if (with_free.count(agent) > 0) all.insert(agent);
  }
  for (const auto& [agent, who] : pairs_) {
    if (with_free.count(agent) > 0) all.insert(agent);
  }
  return all;
}

std::set<claimant> candidates::claimants(const agent_id& agent) const {
  std::set<claimant> all = everywhere_;
  const auto found = pairs_.find(agent);
  if (found != pairs_.end()) all.insert(found->second.begin(), found->second.end());
  return all;
}

}  // namespace troupe
