#include "actors/allocator/allocator_core.hpp"

#include <utility>

/// The whole state as a message, and the picture of it for people.
namespace troupe {
namespace {

using state = internal::AllocatorState;

std::int64_t to_ns(monotonic_time t) {
  return t.time_since_epoch().count();
}
monotonic_time from_ns(std::int64_t ns) {
  return monotonic_time(std::chrono::nanoseconds(ns));
}

/// State is written by save(); what somebody else changed into nonsense counts as nothing.
resources read(const resources::proto_list& list) {
  auto parsed = resources::from(list);
  return parsed ? *std::move(parsed) : resources();
}

void save_account(const agent_account& account, state::Agent* out) {
  account.total().add_to(out->mutable_total());
  account.excess().add_to(out->mutable_excess());
  for (const auto& [who, held] : account.holdings()) {
    state::Holding* holding = out->add_holdings();
    *holding->mutable_framework_id() = who.framework.proto();
    holding->set_role(who.role);
    held.offered.add_to(holding->mutable_offered());
    held.used.add_to(holding->mutable_used());
  }
}

void save_grants(const standings& ranks, state* out) {
  for (const auto& [role, m] : ranks.roles().members()) {
    if (m.grants > 0) {
      auto* grants = out->add_grants();
      grants->set_role(role);
      grants->set_count(m.grants);
    }
    for (const auto& [framework, member] : ranks.frameworks(role).members()) {
      if (member.grants == 0) continue;
      auto* grants = out->add_grants();
      grants->set_role(role);
      grants->mutable_framework_id()->set_value(framework);
      grants->set_count(member.grants);
    }
  }
}

std::map<claimant, agent_account::holding> load_holdings(const state::Agent& saved) {
  std::map<claimant, agent_account::holding> holdings;
  for (const state::Holding& h : saved.holdings()) {
    agent_account::holding held{read(h.offered()), read(h.used())};
    if (!held.empty()) holdings[{h.role(), framework_id(h.framework_id())}] = std::move(held);
  }
  return holdings;
}

/// What a framework holds for a role anywhere.
agent_account::holding sum_held(const ledger& books, const claimant& who) {
  agent_account::holding sum;
  for (const agent_id& agent : books.held_by(who.framework)) {
    const auto& holdings = books.find(agent)->holdings();
    const auto found = holdings.find(who);
    if (found == holdings.end()) continue;
    sum.offered += found->second.offered;
    sum.used += found->second.used;
  }
  return sum;
}

}  // namespace

internal::AllocatorState allocator_core::save() const {
  state saved;
  for (const auto& [id, agent] : agents_) {
    state::Agent* out = saved.add_agents();
    *out->mutable_info() = agent.info;
    out->set_active(agent.active);
    save_account(*ledger_.find(id), out);
  }
  for (const auto& [id, framework] : frameworks_) {
    state::Framework* out = saved.add_frameworks();
    *out->mutable_info() = framework.info();
    for (const std::string& role : framework.suppressed()) out->add_suppressed_roles(role);
    out->set_active(framework.active());
  }
  for (const auto& [role, w] : standings_.weights()) {
    state::Weight* out = saved.add_weights();
    out->set_role(role);
    out->set_millionths(w.millionths);
  }
  filters_.for_each([&](const claimant& who, const agent_id& agent, const offer_filters::refusal& r) {
    state::Filter* out = saved.add_filters();
    *out->mutable_framework_id() = who.framework.proto();
    out->set_role(who.role);
    *out->mutable_agent_id() = agent.proto();
    r.refused.add_to(out->mutable_refused());
    out->set_until_ns(to_ns(r.until));
  });
  save_grants(standings_, &saved);
  if (sweep_at_) saved.set_sweep_at_ns(to_ns(*sweep_at_));
  saved.set_swept_to(swept_to_.value());
  return saved;
}

allocator_core allocator_core::load(const internal::AllocatorState& saved, allocator_options options) {
  allocator_core core(std::move(options));
  for (const state::Agent& agent : saved.agents()) {
    const agent_id id(agent.info().id());
    core.agents_[id] = {agent.info(), agent.active()};
    core.ledger_.restore(id, read(agent.total()), load_holdings(agent), read(agent.excess()));
  }
  for (const state::Framework& framework : saved.frameworks()) {
    core.subscribe(
        framework_id(framework.info().id()),
        subscriber(framework.info(), {framework.suppressed_roles().begin(), framework.suppressed_roles().end()},
                   framework.active()));
  }
  for (const state::Weight& w : saved.weights()) {
    if (w.millionths() > 0) core.standings_.set_weight(w.role(), {w.millionths()});
  }
  for (const state::Filter& f : saved.filters()) {
    core.filters_.refuse({f.role(), framework_id(f.framework_id())}, agent_id(f.agent_id()), read(f.refused()),
                         from_ns(f.until_ns()));
  }
  for (const state::Grants& g : saved.grants()) {
    if (g.has_framework_id()) {
      core.standings_.restore_grants({g.role(), framework_id(g.framework_id())}, g.count());
    } else {
      core.standings_.restore_grants(g.role(), g.count());
    }
  }
  if (saved.has_sweep_at_ns()) core.sweep_at_ = from_ns(saved.sweep_at_ns());
  core.swept_to_ = agent_id(saved.swept_to());
  core.standings_.refresh(core.ledger_);
  // Whoever wanted something had it offered before the state was saved.
  core.candidates_.clear();
  return core;
}

std::shared_ptr<const google::protobuf::Message> allocator_core::look(const std::string&) const {
  return std::make_shared<const internal::AllocatorView>(view());
}

internal::AllocatorView allocator_core::view() const {
  internal::AllocatorView all;
  all.set_policy(std::string(options_.policy->name()));
  for (const auto& [role, rank] : standings_.roles().members()) {
    auto* r = all.add_roles();
    r->set_role(role);
    r->set_weight_millionths(standings_.weight_of(role).millionths);
    r->set_dominant_share_millionths(rank.share.millionths());
    r->set_dominant_resource(rank.share.resource());
    for (const auto& [id, member] : standings_.frameworks(role).members()) {
      const claimant who{role, framework_id(id)};
      const auto known = frameworks_.find(who.framework);
      auto* f = r->add_frameworks();
      *f->mutable_framework_id() = who.framework.proto();
      f->set_active(known != frameworks_.end() && known->second.active());
      f->set_suppressed(known != frameworks_.end() && known->second.suppressed().count(role) > 0);
      f->set_dominant_share_millionths(member.share.millionths());
      f->set_dominant_resource(member.share.resource());
      const agent_account::holding held = sum_held(ledger_, who);
      held.offered.add_to(f->mutable_offered());
      held.used.add_to(f->mutable_used());
      f->set_filters(filters_.count(who));
    }
  }
  for (const auto& [id, agent] : agents_) {
    const agent_account& account = *ledger_.find(id);
    agent_account::holding held;
    for (const auto& [who, h] : account.holdings()) {
      held.offered += h.offered;
      held.used += h.used;
    }
    auto* a = all.add_agents();
    *a->mutable_agent_id() = id.proto();
    a->set_active(agent.active);
    account.total().add_to(a->mutable_total());
    held.offered.add_to(a->mutable_offered());
    held.used.add_to(a->mutable_used());
    account.free().add_to(a->mutable_free());
  }
  return all;
}

}  // namespace troupe
