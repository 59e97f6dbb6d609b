#pragma once

#include "actors/runtime/step.hpp"
#include "protocol/ids.hpp"
#include "protocol/resources.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// Resources of one agent that one framework may use, in one role, until it answers or the offer is withdrawn.
struct offer {
  offer_id id;
  framework_id framework;
  agent_id agent;
  std::string role;
  resources what;  ///< allocated to the role
  monotonic_time offered_at;
};

/// All offers that are open.
class offer_book {
 public:
  const std::map<offer_id, offer>& all() const { return all_; }
  const offer* find(const offer_id& id) const;
  std::vector<offer_id> of_agent(const agent_id& agent) const;
  std::vector<offer_id> of_framework(const framework_id& framework) const;

  void add(offer entry);
  std::optional<offer> take(const offer_id& id);

 private:
  std::map<offer_id, offer> all_;
  std::map<agent_id, std::set<offer_id>> by_agent_;
  std::map<framework_id, std::set<offer_id>> by_framework_;
};

}  // namespace troupe
