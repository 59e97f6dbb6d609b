#include "actors/allocator/fair_policy.hpp"

#include "protocol/mutant.hpp"

#include <algorithm>
#include <vector>

namespace troupe {
namespace {

bool serve_all(const standings& ranks, const allocation_policy::asker& ask) {
  for (const share_order::rank& role : ranks.roles().competing()) {
    for (const share_order::rank& framework : ranks.frameworks(role.name).competing()) {
      if (ask({role.name, framework_id(framework.name)})) return true;
      if (mutated(mutant::one_refusal_ends_the_role)) break;
    }
  }
  return false;
}

bool serve_some(const standings& ranks, const std::set<claimant>& some, const allocation_policy::asker& ask) {
  std::vector<claimant> order;
  for (const claimant& who : some) {
    if (ranks.claim_of(who) == claim::competing) order.push_back(who);
  }
  std::sort(order.begin(), order.end(), [&](const claimant& a, const claimant& b) { return ranks.before(a, b); });
  return std::any_of(order.begin(), order.end(), ask);
}

}  // namespace

bool fair_policy::serve(const standings& ranks, const std::set<claimant>* only, const asker& ask) const {
  return only == nullptr ? serve_all(ranks, ask) : serve_some(ranks, *only, ask);
}

}  // namespace troupe
