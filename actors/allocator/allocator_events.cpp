#include "actors/allocator/allocator_core.hpp"
#include "protocol/mutant.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

/// What each message changes. None of these offers anything: they note what is worth looking at, and the step ends with
/// a run.
namespace troupe {
namespace {

using strings = google::protobuf::RepeatedPtrField<std::string>;

std::set<std::string> set_of(const strings& list) {
  return {list.begin(), list.end()};
}

std::set<std::string> difference(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::set<std::string> rest;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(rest, rest.end()));
  return rest;
}

bool same_attributes(const v1::AgentInfo& a, const v1::AgentInfo& b) {
  return std::equal(
      a.attributes().begin(), a.attributes().end(), b.attributes().begin(), b.attributes().end(),
      [](const v1::Attribute& x, const v1::Attribute& y) { return x.SerializeAsString() == y.SerializeAsString(); });
}

void ignore(step& s, const char* what, const std::string& ids, const std::string& reason) {
  s.log(std::string("allocation.ignored message=") + what + " " + ids + " reason=" + reason);
}

std::string name(const framework_id& framework) {
  return "framework=" + framework.value();
}
std::string name(const agent_id& agent) {
  return "agent=" + agent.value();
}
std::string name(const framework_id& framework, const agent_id& agent) {
  return name(framework) + " " + name(agent);
}
std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

}  // namespace

void allocator_core::handle(step& s, const internal::Recovered&) {
  *this = allocator_core(std::move(options_));
  s.say(leader(), internal::AllocatorStarted());
}

// What is due is done at the start of every step.
void allocator_core::handle(step&, const internal::TimerFired&) {}
void allocator_core::handle(step&, const internal::PeerConnected&) {}
void allocator_core::handle(step&, const internal::PeerDisconnected&) {}

// --- agents
// ---------------------------------------------------------------------------------------------------------------------

void allocator_core::handle(step& s, const internal::AddAgent& m) {
  const agent_id id(m.info().id());
  if (id.empty()) return ignore(s, "AddAgent", "", "no_agent_id");
  auto total = without_tags(m.total());
  if (!total) return ignore(s, "AddAgent", name(id), quoted(total.error().message));

  const auto [entry, fresh] = agents_.try_emplace(id);
  if (!fresh && !same_attributes(entry->second.info, m.info())) filters_.forget(id);
  entry->second.info = m.info();
  ledger_.set_total(id, *std::move(total));
  for (const internal::UsedResources& used : m.used()) {
    const framework_id framework(used.framework_id());
    const auto by_role = split_by_role(used.resources(), untagged_role(framework));
    if (!by_role) {
      ignore(s, "AddAgent", name(framework, id), quoted(by_role.error().message));
      continue;
    }
    for (const auto& [role, r] : *by_role) {
      if (!ledger_.charge_at_least(id, {role, framework}, r)) ignore(s, "AddAgent", name(framework, id), "too_much");
    }
  }
  if (mutated(mutant::reconfiguration_revives) && !fresh)
    for (auto& [framework, whom] : frameworks_) place_claims(framework, whom.revive({}), true);
  log_excess(s, id);
  candidates_.add(id);
}

void allocator_core::handle(step&, const internal::RemoveAgent& m) {
  const agent_id id(m.agent_id());
  ledger_.remove_agent(id);
  filters_.forget(id);
  agents_.erase(id);
}

void allocator_core::handle(step& s, const internal::SetAgentActive& m) {
  const agent_id id(m.agent_id());
  const auto found = agents_.find(id);
  if (found == agents_.end()) return ignore(s, "SetAgentActive", name(id), "unknown_agent");
  found->second.active = !m.has_active() || m.active();
  candidates_.add(id);
}

// --- frameworks
// -----------------------------------------------------------------------------------------------------------------

void allocator_core::handle(step& s, const internal::AddFramework& m) {
  const framework_id id(m.info().id());
  if (id.empty()) return ignore(s, "AddFramework", "", "no_framework_id");
  subscribe(id, subscriber(m.info(), set_of(m.suppressed_roles()), !m.has_active() || m.active()));
}

void allocator_core::handle(step& s, const internal::UpdateFramework& m) {
  const framework_id id(m.info().id());
  const auto found = frameworks_.find(id);
  if (found == frameworks_.end()) return ignore(s, "UpdateFramework", name(id), "unknown_framework");
  const auto suppressed =
      mutated(mutant::suppression_not_taken_over) ? std::set<std::string>() : set_of(m.suppressed_roles());
  const auto& info = mutated(mutant::update_keeps_old_roles) ? found->second.info() : m.info();
  subscribe(id, subscriber(info, suppressed, found->second.active()));
}

void allocator_core::subscribe(const framework_id& id, subscriber framework) {
  const auto [entry, fresh] = frameworks_.try_emplace(id, framework);
  if (!fresh) {
    unsubscribe(id, difference(entry->second.roles(), framework.roles()));
    entry->second = std::move(framework);
  }
  if (!entry->second.active()) filters_.forget(id);
  place_claims(id, entry->second.roles(), true);
}

void allocator_core::handle(step&, const internal::RemoveFramework& m) {
  const framework_id id(m.framework_id());
  const auto found = frameworks_.find(id);
  if (found != frameworks_.end()) {
    unsubscribe(id, found->second.roles());
    frameworks_.erase(found);
  }
  // Also for a framework that is known by its tasks only.
  for (const agent_id& agent : ledger_.drop_framework(id)) candidates_.add(agent);
}

void allocator_core::handle(step& s, const internal::SetFrameworkActive& m) {
  const framework_id id(m.framework_id());
  const auto found = frameworks_.find(id);
  if (found == frameworks_.end()) return ignore(s, "SetFrameworkActive", name(id), "unknown_framework");
  found->second.set_active(!m.has_active() || m.active());
  if (!found->second.active()) filters_.forget(id);
  place_claims(id, found->second.roles(), true);
}

void allocator_core::handle(step& s, const internal::SuppressRoles& m) {
  const framework_id id(m.framework_id());
  const auto found = frameworks_.find(id);
  if (found == frameworks_.end()) return ignore(s, "SuppressRoles", name(id), "unknown_framework");
  place_claims(id, found->second.suppress(set_of(m.roles())), false);
}

void allocator_core::handle(step& s, const internal::ReviveRoles& m) {
  const framework_id id(m.framework_id());
  const auto found = frameworks_.find(id);
  if (found == frameworks_.end()) return ignore(s, "ReviveRoles", name(id), "unknown_framework");
  const std::set<std::string> revived = found->second.revive(set_of(m.roles()));
  for (const std::string& role : revived)
    if (!mutated(mutant::revive_keeps_refusals)) filters_.forget(claimant{role, id});
  if (mutated(mutant::revive_ends_all_refusals)) filters_.forget(id);
  place_claims(id, revived, true);
}

void allocator_core::place_claims(const framework_id& id, const std::set<std::string>& roles, bool look_again) {
  const subscriber& framework = frameworks_.at(id);
  for (const std::string& role : roles) {
    const claimant who{role, id};
    standings_.set_claim(who, framework.claim_on(role));
    if (look_again && framework.claim_on(role) == claim::competing) candidates_.add(who);
  }
}

void allocator_core::unsubscribe(const framework_id& id, const std::set<std::string>& roles) {
  for (const std::string& role : roles) {
    standings_.set_claim({role, id}, claim::none);
    if (!mutated(mutant::refusals_outlive_role)) filters_.forget(claimant{role, id});
  }
}

void allocator_core::handle(step& s, const internal::SetWeights& m) {
  for (const v1::WeightInfo& one : m.weights()) {
    const auto parsed = weight::from(one.weight());
    if (parsed) {
      standings_.set_weight(one.role(), *parsed);
    } else {
      ignore(s, "SetWeights", "role=" + one.role(), quoted(parsed.error().message));
    }
  }
}

// --- what became of resources
// -----------------------------------------------------------------------------------------------------

void allocator_core::handle(step& s, const internal::SettleOffer& m) {
  const claimant who{m.role(), framework_id(m.framework_id())};
  const agent_id agent(m.agent_id());
  auto used = split_by_role(m.used(), who.role);
  auto unused = split_by_role(m.unused(), who.role);
  if (!used) return ignore(s, "SettleOffer", name(who.framework, agent), quoted(used.error().message));
  if (!unused) return ignore(s, "SettleOffer", name(who.framework, agent), quoted(unused.error().message));

  const agent_account::settlement settled = ledger_.settle(agent, who, (*used)[who.role], (*unused)[who.role]);
  (*used)[who.role] -= settled.used;
  (*unused)[who.role] -= settled.unused;
  for (const auto* rest : {&*used, &*unused}) {
    for (const auto& [role, r] : *rest) {
      if (r.empty()) continue;
      ignore(s, "SettleOffer", name(who.framework, agent),
             "never_offered role=" + role + " resources=" + quoted(r.text()));
    }
  }
  if (m.has_filters()) install_filter(s, who, agent, m.filters(), settled);
  candidates_.add(agent);
}

void allocator_core::install_filter(step& s, const claimant& who, const agent_id& agent, const v1::Filters& filters,
                                    const agent_account::settlement& settled) {
  const auto found = frameworks_.find(who.framework);
  if (settled.unused.empty() || found == frameworks_.end()) return;
  if (!found->second.active() || found->second.claim_on(who.role) == claim::none) return;
  auto lasts = refusal_time(filters.refuse_seconds(), options_.allocation_interval);
  if (!lasts) {
    // No filter. But whoever takes nothing and refuses nothing waits an interval before the same comes again, or the
    // two of us would do nothing else than pass it to and fro.
    if (!settled.used.empty()) return;
    lasts = options_.allocation_interval;
  }
  filters_.refuse(who, agent, settled.unused, s.now.now + *lasts);
}

void allocator_core::handle(step& s, const internal::ReleaseResources& m) {
  const framework_id framework(m.framework_id());
  const agent_id agent(m.agent_id());
  const auto by_role = split_by_role(m.resources(), untagged_role(framework));
  if (!by_role) return ignore(s, "ReleaseResources", name(framework, agent), quoted(by_role.error().message));
  for (const auto& [role, r] : *by_role) {
    const resources rest = r - ledger_.release(agent, {role, framework}, r);
    if (rest.empty()) continue;
    ignore(s, "ReleaseResources", name(framework, agent),
           "not_used role=" + role + " resources=" + quoted(rest.text()));
  }
  candidates_.add(agent);
}

void allocator_core::handle(step& s, const internal::ChargeResources& m) {
  const framework_id framework(m.framework_id());
  const agent_id agent(m.agent_id());
  if (agents_.count(agent) == 0) return ignore(s, "ChargeResources", name(framework, agent), "unknown_agent");
  const auto by_role = split_by_role(m.resources(), untagged_role(framework));
  if (!by_role) return ignore(s, "ChargeResources", name(framework, agent), quoted(by_role.error().message));
  for (const auto& [role, r] : *by_role) {
    if (!ledger_.charge(agent, {role, framework}, r)) ignore(s, "ChargeResources", name(framework, agent), "too_much");
  }
  log_excess(s, agent);
}

void allocator_core::log_excess(step& s, const agent_id& agent) const {
  const resources& excess = ledger_.find(agent)->excess();
  if (!excess.empty()) s.log("allocation.overcommitted " + name(agent) + " excess=" + quoted(excess.text()));
}

std::string allocator_core::untagged_role(const framework_id& framework) const {
  const auto found = frameworks_.find(framework);
  return found == frameworks_.end() ? "*" : found->second.untagged_role();
}

}  // namespace troupe
