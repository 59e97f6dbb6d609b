#include "actors/gateway/state_json.hpp"
#include "actors/gateway/state_parts.hpp"
#include "protocol/task_state.hpp"

namespace troupe {

namespace {

void queued_task_object(const v1::TaskInfo& task, std::string& out) {
  json_object_writer object(out);
  object.field("id", task.task_id().value()).field("name", task.name()).field("slave_id", task.agent_id().value());
  state_parts::resources_object(task.resources(), object.key("resources"));
  object.field("role", state_parts::role_of(task.resources()));
  if (task.has_command()) state_parts::command_object(task.command(), object.key("command"));
  if (task.has_executor()) object.field("executor_id", task.executor().executor_id().value());
  if (task.has_discovery()) object.field("discovery", task.discovery());
}

void agent_executor_object(const internal::AgentView::Executor& executor, std::string& out) {
  json_object_writer object(out);
  const auto& info = executor.info();
  object.field("id", info.executor_id().value()).field("name", info.name()).field("source", info.source());
  object.field("container", executor.container_id().value()).field("directory", executor.sandbox());
  state_parts::resources_object(info.resources(), object.key("resources"));
  state_parts::executor_fields(info, object);
  state_parts::tasks_array(executor.tasks(), object.key("tasks"));
  {
    json_array_writer queued(object.key("queued_tasks"));
    for (const auto& task : executor.queued_tasks()) queued_task_object(task, queued.element());
  }
  state_parts::tasks_array(executor.completed_tasks(), object.key("completed_tasks"));
}

void agent_frameworks_array(const google::protobuf::RepeatedPtrField<internal::AgentView::Framework>& frameworks,
                            std::string& out) {
  json_array_writer array(out);
  for (const auto& framework : frameworks) {
    json_object_writer object(array.element());
    const auto& info = framework.info();
    object.field("id", info.id().value()).field("name", info.name()).field("user", info.user());
    object.field("failover_timeout", info.failover_timeout()).field("checkpoint", info.checkpoint());
    object.field("hostname", info.hostname());
    if (info.has_principal()) object.field("principal", info.principal());
    state_parts::roles_field(info, object);
    {
      json_array_writer executors(object.key("executors"));
      for (const auto& executor : framework.executors()) agent_executor_object(executor, executors.element());
    }
    json_array_writer completed(object.key("completed_executors"));
    for (const auto& executor : framework.completed_executors()) agent_executor_object(executor, completed.element());
  }
}

void add_if_sound(resources& sum, const resources::proto_list& list) {
  if (auto one = resources::from(list)) sum += one->unallocated();
}

/// What executors and tasks that have not ended hold of the agent.
resources allocated_of(const internal::AgentView& view) {
  resources sum;
  for (const auto& framework : view.frameworks()) {
    for (const auto& executor : framework.executors()) {
      if (executor.phase() != "terminated") add_if_sound(sum, executor.info().resources());
      for (const auto& task : executor.queued_tasks()) add_if_sound(sum, task.resources());
      for (const auto& task : executor.tasks())
        if (!is_terminal(task.state())) add_if_sound(sum, task.resources());
    }
  }
  return sum;
}

void resource_fields(const resources& all, const resources& allocated, json_object_writer& object) {
  state_parts::resources_object(all, object.key("resources"));
  state_parts::reserved_object(all, object.key("reserved_resources"));
  state_parts::resources_object(all.unreserved(), object.key("unreserved_resources"));
  state_parts::reserved_full_object(all, object.key("reserved_resources_full"));
  state_parts::full_array(all.unreserved(), object.key("unreserved_resources_full"));
  state_parts::reserved_object(allocated, object.key("reserved_resources_allocated"));
  state_parts::resources_object(allocated.unreserved(), object.key("unreserved_resources_allocated"));
}

}  // namespace

std::string agent_state_json(const internal::AgentView& view, const daemon_facts& facts) {
  std::string out;
  {
    json_object_writer object(out);
    state_parts::facts_fields(facts, object);
    const auto& info = view.info();
    auto total = resources::from(info.resources());
    object.field("id", info.id().value()).field("pid", "slave(1)@" + facts.address);
    object.field("cluster_id", view.cluster_id())
        .field("epoch", view.master_epoch())
        .field("registered", view.registered());
    if (!view.refusal().empty()) object.field("refusal", view.refusal());
    state_parts::agent_capabilities_array(object.key("capabilities"));
    if (info.has_domain()) object.field("domain", info.domain());
    resource_fields(total ? *total : resources(), allocated_of(view), object);
    state_parts::attributes_object(info.attributes(), object.key("attributes"));
    agent_frameworks_array(view.frameworks(), object.key("frameworks"));
    agent_frameworks_array(view.completed_frameworks(), object.key("completed_frameworks"));
  }
  return out;
}

}  // namespace troupe
