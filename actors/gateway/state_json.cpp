#include "actors/gateway/state_json.hpp"

#include "actors/gateway/state_parts.hpp"
#include "protocol/address.hpp"

namespace troupe {

namespace {

using state_parts::seconds;

void agent_object(const internal::MasterView::Agent& agent, std::string& out) {
  json_object_writer object(out);
  auto total = resources::from(agent.total());
  const auto& info = agent.info();
  object.field("id", info.id().value()).field("hostname", info.hostname()).field("port", info.port());
  state_parts::attributes_object(info.attributes(), object.key("attributes"));
  object.field("pid", "slave(1)@" + info.hostname() + ":" + std::to_string(info.port()));
  object.field("registered_time", seconds(agent.registered_time()));
  if (agent.has_reregistered_time()) object.field("reregistered_time", seconds(agent.reregistered_time()));
  auto all = total ? *total : resources();
  state_parts::resources_object(all, object.key("resources"));
  state_parts::resources_object(agent.used(), object.key("used_resources"));
  state_parts::resources_object(agent.offered(), object.key("offered_resources"));
  state_parts::reserved_object(all, object.key("reserved_resources"));
  state_parts::resources_object(all.unreserved(), object.key("unreserved_resources"));
  object.field("active", agent.active()).field("deactivated", false).field("version", agent.version());
  state_parts::agent_capabilities_array(object.key("capabilities"));
  if (info.has_domain()) object.field("domain", info.domain());
}

void capabilities_array(const v1::MasterInfo& master, std::string& out) {
  json_array_writer capabilities(out);
  for (const auto& capability : master.capabilities())
    capabilities.add(v1::MasterInfo::Capability::Type_Name(capability.type()));
}

void leader_object(const v1::MasterInfo& master, const daemon_facts& facts, std::string& out) {
  json_object_writer object(out);
  object.field("id", master.id()).field("pid", "master@" + facts.address);
  object.field("port", master.port()).field("hostname", master.hostname());
  if (master.has_domain()) object.field("domain", master.domain());
}

void absent_agent_object(const v1::AgentInfo& info, std::string& out) {
  json_object_writer object(out);
  object.field("id", info.id().value()).field("hostname", info.hostname()).field("port", info.port());
  state_parts::attributes_object(info.attributes(), object.key("attributes"));
  if (info.has_domain()) object.field("domain", info.domain());
}

void offer_object(const v1::Offer& offer, std::string& out) {
  json_object_writer object(out);
  object.field("id", offer.id().value()).field("framework_id", offer.framework_id().value());
  json_object_writer(object.key("allocation_info")).field("role", offer.allocation_info().role());
  object.field("slave_id", offer.agent_id().value());
  state_parts::resources_object(offer.resources(), object.key("resources"));
}

void executor_object(const internal::MasterView::Executor& executor, const v1::FrameworkID& framework,
                     std::string& out) {
  json_object_writer object(out);
  const auto& info = executor.info();
  object.field("executor_id", info.executor_id().value())
      .field("name", info.name())
      .field("framework_id", framework.value());
  state_parts::command_object(info.command(), object.key("command"));
  state_parts::resources_object(info.resources(), object.key("resources"));
  state_parts::executor_fields(info, object);
  object.field("slave_id", executor.agent_id().value());
}

void framework_object(const internal::MasterView::Framework& framework, std::string& out) {
  json_object_writer object(out);
  const auto& info = framework.info();
  auto used = resources::from(framework.used());
  auto offered = resources::from(framework.offered());
  object.field("id", info.id().value()).field("name", info.name());
  state_parts::resources_object(framework.used(), object.key("used_resources"));
  state_parts::resources_object(framework.offered(), object.key("offered_resources"));
  {
    json_array_writer capabilities(object.key("capabilities"));
    for (const auto& capability : info.capabilities())
      capabilities.add(v1::FrameworkInfo::Capability::Type_Name(capability.type()));
  }
  object.field("hostname", info.hostname()).field("webui_url", info.webui_url());
  object.field("active", framework.connected())
      .field("connected", framework.connected())
      .field("recovered", framework.recovered());
  object.field("user", info.user())
      .field("failover_timeout", info.failover_timeout())
      .field("checkpoint", info.checkpoint());
  object.field("registered_time", seconds(framework.registered_time()));
  object.field("unregistered_time", seconds(framework.unregistered_time()));
  if (info.has_principal()) object.field("principal", info.principal());
  state_parts::resources_object(used && offered ? *used + *offered : resources(), object.key("resources"));
  if (framework.has_reregistered_time()) object.field("reregistered_time", seconds(framework.reregistered_time()));
  state_parts::roles_field(info, object);
  state_parts::tasks_array(framework.tasks(), object.key("tasks"));
  state_parts::tasks_array(framework.unreachable_tasks(), object.key("unreachable_tasks"));
  state_parts::tasks_array(framework.completed_tasks(), object.key("completed_tasks"));
  {
    json_array_writer offers(object.key("offers"));
    for (const auto& offer : framework.offers()) offer_object(offer, offers.element());
  }
  {
    json_array_writer executors(object.key("executors"));
    for (const auto& executor : framework.executors()) executor_object(executor, info.id(), executors.element());
  }
  if (info.has_labels()) state_parts::labels_array(info.labels(), object.key("labels"));
}

void frameworks_array(const google::protobuf::RepeatedPtrField<internal::MasterView::Framework>& frameworks,
                      std::string& out) {
  json_array_writer array(out);
  for (const auto& framework : frameworks) framework_object(framework, array.element());
}

}  // namespace

std::string master_state_json(const internal::MasterView& view, const daemon_facts& facts) {
  std::string out;
  {
    json_object_writer object(out);
    state_parts::facts_fields(facts, object);
    object.field("id", view.master().id()).field("pid", "master@" + facts.address);
    capabilities_array(view.master(), object.key("capabilities"));
    if (view.master().has_domain()) object.field("domain", view.master().domain());
    object.field("cluster_id", view.cluster_id()).field("epoch", view.epoch());
    object.field("elected_time", seconds(view.elected_time()));
    int active = 0;
    for (const auto& agent : view.agents()) active += agent.active() ? 1 : 0;
    object.field("activated_slaves", active).field("deactivated_slaves", view.agents_size() - active);
    object.field("unreachable_slaves", view.unreachable_agents_size());
    object.field("leader", "master@" + facts.address);
    leader_object(view.master(), facts, object.key("leader_info"));
    {
      json_array_writer agents(object.key("slaves"));
      for (const auto& agent : view.agents()) agent_object(agent, agents.element());
    }
    {
      json_array_writer recovered(object.key("recovered_slaves"));
      for (const auto& info : view.recovered_agents()) absent_agent_object(info, recovered.element());
    }
    frameworks_array(view.frameworks(), object.key("frameworks"));
    frameworks_array(view.completed_frameworks(), object.key("completed_frameworks"));
    { json_array_writer none(object.key("orphan_tasks")); }
    json_array_writer none(object.key("unregistered_frameworks"));
  }
  return out;
}

}  // namespace troupe
