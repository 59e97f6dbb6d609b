#include "tests/unit/allocator/allocator_world.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

namespace troupe {
namespace {

std::string bytes_of(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

std::string bytes_of(const outbox& out) {
  std::string bytes;
  for (const letter& l : out.letters) bytes += bytes_of(l.to) + std::to_string(l.verb) + bytes_of(*l.body) + "\n";
  for (const std::string& line : out.log) bytes += line + "\n";
  bytes += out.wake_at ? std::to_string(out.wake_at->time_since_epoch().count()) : "never";
  return bytes + "\n";
}

std::vector<offered> offers_in(const outbox& out) {
  std::vector<offered> all;
  std::set<std::pair<std::string, std::string>> seen;
  for (const letter& l : out.letters) {
    if (l.verb != verb_number<internal::ResourcesOffered>::value) continue;
    const auto& m = static_cast<const internal::ResourcesOffered&>(*l.body);
    const std::string& framework = m.framework_id().value();
    REQUIRE(seen.insert({framework, m.role()}).second);  // one message for each framework and role
    std::string before;
    for (const auto& share : m.shares()) {
      REQUIRE(before < share.agent_id().value());  // sorted by agent
      before = share.agent_id().value();
      all.push_back({framework, m.role(), before, resources::from(share.resources()).value()});
      REQUIRE(all.back().content.allocation_role() == m.role());
    }
  }
  return all;
}

}  // namespace

allocator_world::allocator_world(allocator_options options, std::uint64_t seed)
    : options_(std::move(options)), core_(options_), random_(seed) {
  now_.now = monotonic_time(std::chrono::hours(1));
  now_.incarnation = 1;
  tell(internal::Recovered());
}

std::vector<offered> allocator_world::tell(const google::protobuf::Message& body) {
  now_.random_seed = random_.next();
  allocator_core twin = allocator_core::load(core_.save(), options_);
  REQUIRE(bytes_of(twin.save()) == bytes_of(core_.save()));
  const outbox out = core_.on(Envelope(), body, now_);
  const std::string said = bytes_of(out);
  REQUIRE(bytes_of(twin.on(Envelope(), body, now_)) == said);
  core_.check_invariants();
  core_.check_nothing_waits();
  REQUIRE(out.edits.empty());
  wake_at = out.wake_at;
  log = out.log;
  ++steps;
  transcript += said;
  return offers_in(out);
}

std::vector<offered> allocator_world::add_agent(const std::string& id, const std::string& total,
                                                const std::vector<internal::UsedResources>& used) {
  internal::AddAgent m;
  m.mutable_info()->set_hostname(id);
  m.mutable_info()->mutable_id()->set_value(id);
  bare(total).add_to(m.mutable_total());
  for (const auto& u : used) *m.add_used() = u;
  return tell(m);
}

std::vector<offered> allocator_world::remove_agent(const std::string& id) {
  internal::RemoveAgent m;
  m.mutable_agent_id()->set_value(id);
  return tell(m);
}

std::vector<offered> allocator_world::set_agent_active(const std::string& id, bool active) {
  internal::SetAgentActive m;
  m.mutable_agent_id()->set_value(id);
  m.set_active(active);
  return tell(m);
}

std::vector<offered> allocator_world::add_framework(const std::string& id, const std::vector<std::string>& roles,
                                                    const std::vector<capability::Type>& able,
                                                    const std::vector<std::string>& suppressed) {
  internal::AddFramework m;
  auto* info = m.mutable_info();
  info->set_user("nobody");
  info->set_name(id);
  info->mutable_id()->set_value(id);
  info->add_capabilities()->set_type(capability::MULTI_ROLE);
  for (const std::string& role : roles) info->add_roles(role);
  for (const auto type : able) info->add_capabilities()->set_type(type);
  for (const std::string& role : suppressed) m.add_suppressed_roles(role);
  m.set_active(true);
  return tell(m);
}

std::vector<offered> allocator_world::remove_framework(const std::string& id) {
  internal::RemoveFramework m;
  m.mutable_framework_id()->set_value(id);
  return tell(m);
}

std::vector<offered> allocator_world::set_framework_active(const std::string& id, bool active) {
  internal::SetFrameworkActive m;
  m.mutable_framework_id()->set_value(id);
  m.set_active(active);
  return tell(m);
}

std::vector<offered> allocator_world::suppress(const std::string& id, const std::vector<std::string>& roles) {
  internal::SuppressRoles m;
  m.mutable_framework_id()->set_value(id);
  for (const std::string& role : roles) m.add_roles(role);
  return tell(m);
}

std::vector<offered> allocator_world::revive(const std::string& id, const std::vector<std::string>& roles) {
  internal::ReviveRoles m;
  m.mutable_framework_id()->set_value(id);
  for (const std::string& role : roles) m.add_roles(role);
  return tell(m);
}

std::vector<offered> allocator_world::set_weight(const std::string& role, double weight) {
  internal::SetWeights m;
  auto* one = m.add_weights();
  one->set_role(role);
  one->set_weight(weight);
  return tell(m);
}

std::vector<offered> allocator_world::decline(const offered& offer, double refuse_seconds) {
  v1::Filters filters;
  filters.set_refuse_seconds(refuse_seconds);
  return settle(offer, {}, offer.content, &filters);
}

std::vector<offered> allocator_world::give_back(const offered& offer) {
  return settle(offer, {}, offer.content);
}

std::vector<offered> allocator_world::use(const offered& offer, const quantities& scalars) {
  const resources task = offer.content.find_scalars(scalars).value();
  return settle(offer, task, offer.content - task);
}

std::vector<offered> allocator_world::use_all(const offered& offer) {
  return settle(offer, offer.content, {});
}

std::vector<offered> allocator_world::settle(const offered& offer, const resources& used, const resources& unused,
                                             const v1::Filters* filters) {
  internal::SettleOffer m;
  m.mutable_framework_id()->set_value(offer.framework);
  m.mutable_agent_id()->set_value(offer.agent);
  m.set_role(offer.role);
  used.add_to(m.mutable_used());
  unused.add_to(m.mutable_unused());
  if (filters != nullptr) *m.mutable_filters() = *filters;
  return tell(m);
}

std::vector<offered> allocator_world::release(const std::string& framework, const std::string& agent,
                                              const resources& tagged) {
  internal::ReleaseResources m;
  m.mutable_framework_id()->set_value(framework);
  m.mutable_agent_id()->set_value(agent);
  tagged.add_to(m.mutable_resources());
  return tell(m);
}

std::vector<offered> allocator_world::charge(const std::string& framework, const std::string& agent,
                                             const resources& tagged) {
  internal::ChargeResources m;
  m.mutable_framework_id()->set_value(framework);
  m.mutable_agent_id()->set_value(agent);
  tagged.add_to(m.mutable_resources());
  return tell(m);
}

std::vector<offered> allocator_world::pass(std::chrono::nanoseconds time) {
  const monotonic_time until = now_.now + time;
  std::vector<offered> all;
  while (wake_at && *wake_at <= until) {
    REQUIRE(*wake_at >= now_.now);
    now_.now = *wake_at;
    for (offered& o : tell(internal::TimerFired())) all.push_back(std::move(o));
  }
  now_.now = until;
  return all;
}

internal::AllocatorView allocator_world::look() const {
  return static_cast<const internal::AllocatorView&>(*core_.look(""));
}

const internal::AllocatorView::Agent& allocator_world::agent_view(const internal::AllocatorView& all,
                                                                  const std::string& id) const {
  const auto found = std::find_if(all.agents().begin(), all.agents().end(),
                                  [&](const auto& agent) { return agent.agent_id().value() == id; });
  REQUIRE(found != all.agents().end());
  return *found;
}

resources allocator_world::free_on(const std::string& agent) const {
  const auto all = look();
  return resources::from(agent_view(all, agent).free()).value();
}

resources allocator_world::used_on(const std::string& agent) const {
  const auto all = look();
  return resources::from(agent_view(all, agent).used()).value();
}

resources allocator_world::offered_on(const std::string& agent) const {
  const auto all = look();
  return resources::from(agent_view(all, agent).offered()).value();
}

resources tagged(const std::string& text, const std::string& role) {
  return bare(text).allocated_to(role);
}

resources bare(const std::string& text) {
  return resources::parse(text).value();
}

internal::UsedResources used_by(const std::string& framework, const resources& tagged) {
  internal::UsedResources used;
  used.mutable_framework_id()->set_value(framework);
  tagged.add_to(used.mutable_resources());
  return used;
}

}  // namespace troupe
