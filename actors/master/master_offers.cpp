#include "actors/master/decision.hpp"
#include "actors/master/master.hpp"
#include "actors/master/offer_form.hpp"

#include <utility>

namespace troupe {

namespace {
constexpr const char* agent_is_full = "agent_does_not_have_it";
}  // namespace

void master::handle(step& s, const internal::ResourcesOffered& event) {
  if (s.head.from().role() != internal::ALLOCATOR) return;
  const framework_id id = event.framework_id();
  auto* to = frameworks_.find(id);
  scheduler::Event::Offers offers;
  for (const auto& share : event.shares()) {
    const auto refused = !to || !to->connected() ? std::string("framework_not_connected")
                                                 : make_offer(s, *to, event.role(), share, offers);
    if (refused.empty()) continue;
    s.log(decision("offer.not_made")
              .with("framework", id)
              .with("agent", agent_id(share.agent_id()))
              .with("role", event.role())
              .with("reason", refused));
    internal::SettleOffer settled;
    *settled.mutable_framework_id() = event.framework_id();
    *settled.mutable_agent_id() = share.agent_id();
    settled.set_role(event.role());
    *settled.mutable_unused() = share.resources();
    // Where the two disagree about an agent the next attempt must not follow at once.
    if (refused == agent_is_full) settled.mutable_filters()->set_refuse_seconds(v1::Filters().refuse_seconds());
    tell_allocator(s, std::move(settled));
  }
  if (offers.offers_size() != 0) s.say(*to->at, std::move(offers));
}

std::string master::make_offer(step& s, const framework& to, const std::string& role,
                               const internal::ResourcesOffered::Share& share, scheduler::Event::Offers& event) {
  auto* agent = agents_.find(agent_id(share.agent_id()));
  if (!agent || !agent->connected) return "agent_not_connected";
  const auto what = resources::from(share.resources());
  if (!what) return what.error().message;
  const auto bare = what->unallocated();
  if (!fits(*agent, bare)) return agent_is_full;
  offer entry{ids_.next_offer(), to.id, agent->id, role, *what, s.now.now};
  agent->offered += bare;
  if (options_.offer_timeout) deadlines_.set({due::offer, entry.id.value()}, s.now.now + *options_.offer_timeout);
  s.log(decision("offer.made")
            .with("offer", entry.id)
            .with("framework", to.id)
            .with("agent", agent->id)
            .with("role", role)
            .with("resources", bare.text()));
  *event.add_offers() = described(entry, to, *agent);
  offers_.add(std::move(entry));
  return {};
}

bool master::fits(const registered_agent& agent, const resources& bare) const {
  const auto taken = agent.used + agent.offered;
  return !taken.overlaps(bare) && agent.total.contains(taken + bare);
}

v1::Offer master::described(const offer& entry, const framework& to, const registered_agent& agent) const {
  v1::Offer described;
  *described.mutable_id() = entry.id.proto();
  *described.mutable_framework_id() = entry.framework.proto();
  *described.mutable_agent_id() = entry.agent.proto();
  described.set_hostname(agent.info.hostname());
  *described.mutable_url() = url_of(agent.info, options_.scheme);
  if (agent.info.has_domain()) *described.mutable_domain() = agent.info.domain();
  *described.mutable_resources() = as_offered_to(to.info, entry.what);
  *described.mutable_attributes() = agent.info.attributes();
  for (const auto& [key, executor] : agent.executors)
    if (key.first == entry.framework) *described.add_executor_ids() = key.second.proto();
  if (has_capability(to.info, v1::FrameworkInfo::Capability::MULTI_ROLE))
    described.mutable_allocation_info()->set_role(entry.role);
  return described;
}

std::optional<offer> master::take_offer(const offer_id& id) {
  auto taken = offers_.take(id);
  if (!taken) return taken;
  deadlines_.clear({due::offer, taken->id.value()});
  if (auto* agent = agents_.find(taken->agent)) agent->offered -= taken->what.unallocated();
  return taken;
}

void master::withdraw(step& s, const offer& taken, const char* reason) {
  const auto held = std::chrono::duration_cast<std::chrono::milliseconds>(s.now.now - taken.offered_at);
  s.log(decision("offer.rescinded")
            .with("offer", taken.id)
            .with("framework", taken.framework)
            .with("agent", taken.agent)
            .with("reason", reason)
            .with("held_ms", static_cast<std::uint64_t>(held.count())));
  const auto* to = frameworks_.find(taken.framework);
  if (!to || !to->connected()) return;
  scheduler::Event::Rescind event;
  *event.mutable_offer_id() = taken.id.proto();
  s.say(*to->at, std::move(event));
}

void master::rescind(step& s, const offer_id& id, const char* reason) {
  const auto taken = take_offer(id);
  if (!taken) return;
  withdraw(s, *taken, reason);
  settle(s, *taken, {}, taken->what, nullptr);
}

void master::rescind_offers_of(step& s, const registered_agent& agent, const char* reason) {
  for (const auto& id : offers_.of_agent(agent.id)) rescind(s, id, reason);
}

void master::return_offers_of(step& s, const framework& entry, const char* reason) {
  for (const auto& id : offers_.of_framework(entry.id)) {
    const auto taken = take_offer(id);
    s.log(decision("offer.returned").with("offer", id).with("framework", entry.id).with("reason", reason));
    settle(s, *taken, {}, taken->what, nullptr);
  }
}

void master::handle(step& s, const scheduler::Call::Decline& call) {
  auto* entry = speaking_framework(s, "Decline");
  if (!entry) return;
  const auto filters = filters_of(call.filters());
  for (const auto& asked : call.offer_ids()) {
    const offer_id id = asked;
    const auto* open = offers_.find(id);
    if (!open || open->framework != entry->id) {
      s.log(decision("decline.ignored").with("offer", id).with("framework", entry->id).with("reason", "no_such_offer"));
      continue;
    }
    const auto taken = take_offer(id);
    s.log(decision("offer.declined").with("offer", id).with("framework", entry->id).with("agent", taken->agent));
    settle(s, *taken, {}, taken->what, &filters);
  }
}

}  // namespace troupe
