#pragma once

#include "actors/allocator/claimant.hpp"
#include "actors/runtime/step.hpp"
#include "protocol/resources.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe {

/// What claimants have refused for a while. A bundle is refused if something refused contains it: a bundle with more of
/// anything passes. Found by claimant and agent, by agent, and by when it ends.
class offer_filters {
 public:
  struct refusal {
    resources refused;
    monotonic_time until;
  };

  /// A refusal that says no more than one already there changes nothing.
  void refuse(const claimant& who, const agent_id& agent, resources refused, monotonic_time until);
  bool refuses(const claimant& who, const agent_id& agent, const resources& bundle) const;

  /// Drops what has ended by `now`, and says for whom and where.
  std::vector<std::pair<agent_id, claimant>> expire(monotonic_time now);
  std::optional<monotonic_time> next_expiry() const;

  void forget(const framework_id& framework);
  void forget(const claimant& who);
  void forget(const agent_id& agent);

  std::size_t count(const claimant& who) const;

  /// Calls visit(claimant, agent, refusal) for each, by framework, role and agent.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const auto& [at, refusals] : refusals_) {
      for (const refusal& r : refusals) visit(claimant{std::get<1>(at), std::get<0>(at)}, std::get<2>(at), r);
    }
  }

  /// Throws std::logic_error naming the ids.
  void check_invariants() const;

 private:
  using key = std::tuple<framework_id, std::string, agent_id>;
  using table = std::map<key, std::vector<refusal>>;

  table::iterator erase(table::iterator at);

  table refusals_;
  std::set<std::pair<monotonic_time, key>> by_expiry_;
  std::map<agent_id, std::set<key>> by_agent_;
};

/// How long a refusal lasts: absent for none. Negative or unrepresentable seconds mean 5, more than 365 days mean 365
/// days, and anything that is not none lasts at least `at_least`.
std::optional<std::chrono::nanoseconds> refusal_time(double refuse_seconds, std::chrono::nanoseconds at_least);

}  // namespace troupe
