#include "actors/allocator/allocator_core.hpp"
#include "actors/allocator/bundles.hpp"

#include <algorithm>
#include <utility>
#include <vector>

/// What is due, the run at the end of a step, and when to wake up next.
namespace troupe {
namespace {

// A sweep looks at so many agents, then the next at the ones after them.
constexpr std::size_t sweep_agents_max = 64;

/// Everybody gets every agent first now and then.
void shuffle(std::vector<agent_id>& agents, std::uint64_t seed) {
  random_stream random(seed);
  for (std::size_t left = agents.size(); left > 1; --left) std::swap(agents[left - 1], agents[random.below(left)]);
}

}  // namespace

void allocator_core::expire_filters(const context& now) {
  for (const auto& [agent, who] : filters_.expire(now.now)) candidates_.add(agent, who);
}

void allocator_core::sweep(const context& now) {
  if (!sweep_at_ || *sweep_at_ > now.now) return;
  sweep_at_.reset();
  const std::set<agent_id>& all = ledger_.with_free();
  const std::size_t looks = std::min(all.size(), sweep_agents_max);
  auto next = all.upper_bound(swept_to_);
  for (std::size_t i = 0; i < looks; ++i, ++next) {
    if (next == all.end()) next = all.begin();
    candidates_.add(*next);
    swept_to_ = *next;
  }
}

void allocator_core::run(step& s) {
  standings_.refresh(ledger_);
  const std::set<agent_id> agents = candidates_.agents(ledger_.with_free());
  std::vector<agent_id> order(agents.begin(), agents.end());
  shuffle(order, s.now.random_seed);
  grants given;
  for (const agent_id& agent : order) {
    if (active(agent)) serve_agent(agent, given);
  }
  candidates_.clear();
  if (!given.empty()) announce(s, given, order.size());
}

void allocator_core::serve_agent(const agent_id& agent, grants& given) {
  const agent_account& account = *ledger_.find(agent);
  const bool for_anybody = candidates_.for_anybody(agent);
  const std::set<claimant> some = for_anybody ? std::set<claimant>() : candidates_.claimants(agent);
  bool took = true;
  // Again after each grant: what is reserved for others is still there, and the order is another.
  while (took && !account.free().empty()) {
    bundles made(account, options_.hide_gpu_agents);
    took = options_.policy->serve(standings_, for_anybody ? nullptr : &some, [&](const claimant& who) {
      const std::optional<resources> bundle = bundle_for(who, agent, made);
      if (!bundle) return false;
      ledger_.offer(agent, who, *bundle);
      standings_.count_grant(who);
      given[{who.framework, who.role}][agent] += *bundle;
      return true;
    });
    standings_.refresh(ledger_);
  }
}

std::optional<resources> allocator_core::bundle_for(const claimant& who, const agent_id& agent, bundles& made) const {
  const subscriber& framework = frameworks_.at(who.framework);
  const bundles::bundle& bundle = made.for_role(who.role, framework.able());
  if (bundle.content.empty()) return std::nullopt;
  const min_allocatable* own = framework.minimum(who.role);
  if (!(own != nullptr ? *own : options_.minimum).reached_by(bundle.amounts)) return std::nullopt;
  if (filters_.refuses(who, agent, bundle.content)) return std::nullopt;
  return bundle.content;
}

void allocator_core::announce(step& s, const grants& given, std::size_t looked_at) {
  std::size_t offers = 0;
  for (const auto& [who, shares] : given) {
    const auto& [framework, role] = who;
    internal::ResourcesOffered offered;
    *offered.mutable_framework_id() = framework.proto();
    offered.set_role(role);
    for (const auto& [agent, bundle] : shares) {
      auto* share = offered.add_shares();
      *share->mutable_agent_id() = agent.proto();
      add_tagged(bundle, role, share->mutable_resources());
    }
    offers += shares.size();
    s.say(leader(), std::move(offered));
  }
  s.log("allocation.run agents=" + std::to_string(looked_at) + " offers=" + std::to_string(offers) +
        " claimants=" + std::to_string(given.size()));
}

void allocator_core::plan_sweep(const context& now) {
  const std::set<agent_id>& all = ledger_.with_free();
  const bool wanted = standings_.anybody_competes() &&
                      std::any_of(all.begin(), all.end(), [&](const agent_id& agent) { return active(agent); });
  if (!wanted) {
    sweep_at_.reset();
  } else if (!sweep_at_) {
    sweep_at_ = now.now + options_.allocation_interval;
  }
}

std::optional<monotonic_time> allocator_core::wake_at() const {
  const std::optional<monotonic_time> expiry = filters_.next_expiry();
  if (!expiry || !sweep_at_) return expiry ? expiry : sweep_at_;
  return std::min(*expiry, *sweep_at_);
}

bool allocator_core::active(const agent_id& agent) const {
  return agents_.at(agent).active;
}

}  // namespace troupe
