#include "actors/master/decision.hpp"
#include "actors/master/master.hpp"
#include "protocol/mutant.hpp"

#include <utility>

namespace troupe {

void master::handle(step& s, const internal::AllocatorStarted&) {
  s.log(decision("allocator.started")
            .with("agents", agents_.registered().size())
            .with("frameworks", frameworks_.live().size())
            .with("offers_void", offers_.all().size()));
  // It knows of no offer that is open: they are withdrawn without being settled.
  while (!offers_.all().empty()) withdraw(s, *take_offer(offers_.all().begin()->first), "allocator_restarted");
  feed_allocator(s);
}

void master::feed_allocator(step& s) {
  internal::SetWeights weights;
  for (const auto& [role, weight] : weights_) {
    auto* entry = weights.add_weights();
    entry->set_role(role);
    entry->set_weight(weight);
  }
  if (!weights_.empty()) tell_allocator(s, std::move(weights));
  for (const auto& [id, entry] : frameworks_.live()) feed_framework(s, entry);
  for (const auto& [id, agent] : agents_.registered()) feed_agent(s, agent);
}

void master::reset_allocator(step& s) {
  for (const auto& [id, agent] : agents_.recovered()) {
    internal::RemoveAgent remove;
    *remove.mutable_agent_id() = id.proto();
    tell_allocator(s, std::move(remove));
  }
  for (const auto& [id, entry] : frameworks_.live()) {
    internal::RemoveFramework remove;
    *remove.mutable_framework_id() = id.proto();
    tell_allocator(s, std::move(remove));
  }
  feed_allocator(s);
}

void master::feed_framework(step& s, const framework& entry) {
  internal::AddFramework add;
  *add.mutable_info() = entry.info;
  for (const auto& role : entry.suppressed) add.add_suppressed_roles(role);
  add.set_active(entry.connected());
  tell_allocator(s, std::move(add));
}

void master::feed_agent(step& s, const registered_agent& agent) {
  std::map<framework_id, resources> used;
  for (const auto& [owner, task] : agent.tasks) used[owner] += frameworks_.find(owner)->tasks.at(task).charged;
  for (const auto& [key, executor] : agent.executors)
    if (!mutated(mutant::executors_not_fed)) used[key.first] += executor.charged;
  internal::AddAgent add;
  *add.mutable_info() = agent.info;
  agent.total.add_to(add.mutable_total());
  for (const auto& [owner, what] : used) {
    if (what.empty()) continue;
    auto* entry = add.add_used();
    *entry->mutable_framework_id() = owner.proto();
    what.add_to(entry->mutable_resources());
  }
  tell_allocator(s, std::move(add));
  if (!agent.connected) set_agent_active(s, agent.id, false);
}

void master::set_agent_active(step& s, const agent_id& agent, bool active) {
  internal::SetAgentActive set;
  *set.mutable_agent_id() = agent.proto();
  set.set_active(active);
  tell_allocator(s, std::move(set));
}

void master::settle(step& s, const offer& entry, const resources& used, const resources& unused,
                    const v1::Filters* filters) {
  internal::SettleOffer settled;
  *settled.mutable_framework_id() = entry.framework.proto();
  *settled.mutable_agent_id() = entry.agent.proto();
  settled.set_role(entry.role);
  used.add_to(settled.mutable_used());
  unused.add_to(settled.mutable_unused());
  if (filters) *settled.mutable_filters() = *filters;
  tell_allocator(s, std::move(settled));
}

void master::charge(registered_agent& agent, const resources& what) {
  agent.used += what.unallocated();
}

void master::discharge(registered_agent& agent, const resources& what) {
  agent.used -= what.unallocated();
}

void master::tell_charge(step& s, const framework_id& owner, const registered_agent& agent, const resources& what) {
  internal::ChargeResources charged;
  *charged.mutable_framework_id() = owner.proto();
  *charged.mutable_agent_id() = agent.id.proto();
  what.add_to(charged.mutable_resources());
  tell_allocator(s, std::move(charged));
}

void master::release(step& s, const framework_id& owner, registered_agent& agent, const resources& what) {
  if (what.empty()) return;
  discharge(agent, what);
  internal::ReleaseResources released;
  *released.mutable_framework_id() = owner.proto();
  *released.mutable_agent_id() = agent.id.proto();
  what.add_to(released.mutable_resources());
  tell_allocator(s, std::move(released));
}

}  // namespace troupe
