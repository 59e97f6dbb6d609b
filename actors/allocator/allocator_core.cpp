#include "actors/allocator/allocator_core.hpp"

#include "actors/allocator/bundles.hpp"
#include "actors/allocator/fair_policy.hpp"

#include <stdexcept>
#include <utility>

namespace troupe {

allocator_core::allocator_core(allocator_options options) : options_(std::move(options)) {
  if (options_.policy == nullptr) options_.policy = std::make_shared<fair_policy>();
}

void allocator_core::remember(std::string_view, std::string_view) {}

outbox allocator_core::on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
  outbox out;
  step s{head, now, out};
  expire_filters(now);
  sweep(now);
  if (!dispatch(*this, s, body)) s.log("allocation.ignored message=" + body.GetTypeName() + " reason=not_heard_here");
  run(s);
  plan_sweep(now);
  out.wake_at = wake_at();
  return out;
}

void allocator_core::check_invariants() const {
  ledger_.check_invariants();
  filters_.check_invariants();
  standings_.check_invariants(ledger_);
  if (!candidates_.empty()) throw std::logic_error("allocator: a step ended with agents left to look at");
  if (agents_.size() != ledger_.agents().size()) throw std::logic_error("allocator: the ledger has other agents");
  for (const auto& [id, agent] : agents_) {
    if (ledger_.find(id) == nullptr) throw std::logic_error("allocator: agent " + id.value() + " has no account");
  }
  for (const auto& [id, framework] : frameworks_) {
    for (const std::string& role : framework.roles()) {
      if (standings_.claim_of({role, id}) != framework.claim_on(role)) {
        throw std::logic_error("allocator: framework " + id.value() + " is ranked wrongly in role " + role);
      }
    }
  }
  filters_.for_each([&](const claimant& who, const agent_id& agent, const offer_filters::refusal&) {
    if (agents_.count(agent) == 0 || standings_.claim_of(who) == claim::none) {
      throw std::logic_error("allocator: a filter of " + who.framework.value() + " at " + agent.value() +
                             " is left over");
    }
  });
}

void allocator_core::check_nothing_waits() const {
  for (const agent_id& agent : ledger_.with_free()) {
    if (!active(agent)) continue;
    bundles made(*ledger_.find(agent), options_.hide_gpu_agents);
    for (const auto& [id, framework] : frameworks_) {
      for (const std::string& role : framework.roles()) {
        if (framework.claim_on(role) != claim::competing || !bundle_for({role, id}, agent, made)) continue;
        throw std::logic_error("allocator: framework " + id.value() + " waits for agent " + agent.value());
      }
    }
  }
}

}  // namespace troupe
