#include "actors/gateway/state_parts.hpp"

#include "actors/gateway/state_json.hpp"

#include <algorithm>

namespace troupe::state_parts {

namespace {

double units(milli amount) {
  return static_cast<double>(amount) / 1000;
}

/// `[1-2, 5-9]` or `{a, b}`: the value of a resource that is no scalar.
std::string value_text(const v1::Resource& resource) {
  std::string text;
  if (resource.type() == v1::Value::RANGES) {
    for (const auto& range : resource.ranges().range())
      text += (text.empty() ? "" : ", ") + std::to_string(range.begin()) + "-" + std::to_string(range.end());
    return "[" + text + "]";
  }
  for (const auto& item : resource.set().item()) text += (text.empty() ? "" : ", ") + item;
  return "{" + text + "}";
}

const std::string& reserved_role(const v1::Resource& reserved) {
  return reserved.reservations(reserved.reservations_size() - 1).role();
}

void amounts(json_object_writer& object, const resources& all, const std::string& suffix) {
  for (const auto& name : all.names()) {
    auto of_name = all.named(name);
    if (!of_name.scalars().empty()) {
      if (suffix.empty() && (name == "cpus" || name == "gpus" || name == "mem" || name == "disk")) continue;
      object.field(name + suffix, units(of_name.scalar(name)));
      continue;
    }
    auto list = of_name.proto();
    if (!list.empty()) object.field(name + suffix, value_text(list[0]));
  }
}

void status_object(const v1::TaskStatus& status, std::string& out) {
  json_object_writer object(out);
  object.field("state", v1::TaskState_Name(status.state())).field("timestamp", status.timestamp());
  if (status.has_labels()) labels_array(status.labels(), object.key("labels"));
  if (status.has_container_status()) object.field("container_status", status.container_status());
  if (status.has_healthy()) object.field("healthy", status.healthy());
  if (status.has_source()) object.field("source", v1::TaskStatus::Source_Name(status.source()));
  if (status.has_reason()) object.field("reason", v1::TaskStatus::Reason_Name(status.reason()));
  if (status.has_message()) object.field("message", status.message());
  if (status.has_exit_status()) object.field("exit_status", status.exit_status());
}

}  // namespace

double seconds(const v1::TimeInfo& time) {
  return static_cast<double>(time.nanoseconds()) / 1e9;
}

void resources_object(const resources& all, std::string& out) {
  json_object_writer object(out);
  auto firm = all.nonrevocable();
  for (const auto* name : {"cpus", "gpus", "mem", "disk"}) object.field(name, units(firm.scalar(name)));
  amounts(object, firm, "");
  amounts(object, all.revocable(), "_revocable");
}

void resources_object(const resources::proto_list& list, std::string& out) {
  auto all = resources::from(list);
  resources_object(all ? *all : resources(), out);
}

void reserved_object(const resources& all, std::string& out) {
  std::map<std::string, resources> by_role;
  for (const auto& entry : all.reserved().proto()) {
    auto one = resources::from(entry);
    if (one) by_role[reserved_role(entry)] += *one;
  }
  json_object_writer object(out);
  for (const auto& [role, part] : by_role) resources_object(part, object.key(role));
}

void reserved_full_object(const resources& all, std::string& out) {
  std::map<std::string, std::vector<v1::Resource>> by_role;
  for (const auto& entry : all.reserved().proto()) by_role[reserved_role(entry)].push_back(entry);
  json_object_writer object(out);
  for (const auto& [role, entries] : by_role) {
    json_array_writer array(object.key(role));
    for (const auto& entry : entries) array.add(entry);
  }
}

void full_array(const resources& all, std::string& out) {
  json_array_writer array(out);
  for (const auto& entry : all.proto()) array.add(entry);
}

std::string role_of(const resources::proto_list& list) {
  auto all = resources::from(list);
  return (all ? all->allocation_role() : std::nullopt).value_or("*");
}

void attributes_object(const google::protobuf::RepeatedPtrField<v1::Attribute>& attributes, std::string& out) {
  json_object_writer object(out);
  for (const auto& attribute : attributes) {
    if (attribute.type() == v1::Value::SCALAR) {
      object.field(attribute.name(), attribute.scalar().value());
      continue;
    }
    if (attribute.type() == v1::Value::TEXT) {
      object.field(attribute.name(), attribute.text().value());
      continue;
    }
    v1::Resource as_resource;
    as_resource.set_type(attribute.type());
    *as_resource.mutable_ranges() = attribute.ranges();
    *as_resource.mutable_set() = attribute.set();
    object.field(attribute.name(), value_text(as_resource));
  }
}

void labels_array(const v1::Labels& labels, std::string& out) {
  json_array_writer array(out);
  for (const auto& label : labels.labels()) array.add(label);
}

void command_object(const v1::CommandInfo& command, std::string& out) {
  json_object_writer object(out);
  object.field("shell", command.shell());
  if (command.has_value()) object.field("value", command.value());
  {
    json_array_writer argv(object.key("argv"));
    for (const auto& argument : command.arguments()) argv.add(argument);
  }
  if (command.has_environment()) object.field("environment", command.environment());
  json_array_writer uris(object.key("uris"));
  for (const auto& uri : command.uris())
    json_object_writer(uris.element()).field("value", uri.value()).field("executable", uri.executable());
}

void task_object(const v1::Task& task, std::string& out) {
  json_object_writer object(out);
  auto all = resources::from(task.resources());
  object.field("id", task.task_id().value())
      .field("name", task.name())
      .field("framework_id", task.framework_id().value());
  object.field("executor_id", task.executor_id().value()).field("slave_id", task.agent_id().value());
  object.field("state", v1::TaskState_Name(task.state()));
  resources_object(all ? *all : resources(), object.key("resources"));
  if (!task.limits().empty()) {
    std::map<std::string, double> limits;
    for (const auto& [name, limit] : task.limits()) limits[name] = limit.value();
    json_object_writer object_of_limits(object.key("limits"));
    for (const auto& [name, limit] : limits) object_of_limits.field(name, limit);
  }
  object.field("role", role_of(task.resources()));
  {
    json_array_writer statuses(object.key("statuses"));
    for (const auto& status : task.statuses()) status_object(status, statuses.element());
  }
  if (task.has_user()) object.field("user", task.user());
  if (task.has_labels()) labels_array(task.labels(), object.key("labels"));
  if (task.has_discovery()) object.field("discovery", task.discovery());
  if (task.has_container()) object.field("container", task.container());
  if (task.has_health_check()) object.field("health_check", task.health_check());
}

void tasks_array(const google::protobuf::RepeatedPtrField<v1::Task>& tasks, std::string& out) {
  json_array_writer array(out);
  for (const auto& task : tasks) task_object(task, array.element());
}

void agent_capabilities_array(std::string& out) {
  using capability = v1::AgentInfo::Capability;
  json_array_writer array(out);
  for (auto each : {capability::MULTI_ROLE, capability::HIERARCHICAL_ROLE, capability::RESERVATION_REFINEMENT,
                    capability::TASK_RESOURCE_LIMITS})
    array.add(capability::Type_Name(each));
}

void facts_fields(const daemon_facts& facts, json_object_writer& object) {
  build_fields(facts.build, object);
  object.field("start_time", facts.start_time).field("hostname", facts.hostname);
  object.field("insecure", facts.insecure);
  json_object_writer flags(object.key("flags"));
  for (const auto& [name, value] : facts.flags) flags.field(name, value);
}

void executor_fields(const v1::ExecutorInfo& info, json_object_writer& object) {
  if (info.resources_size() > 0) object.field("role", role_of(info.resources()));
  if (info.has_labels()) labels_array(info.labels(), object.key("labels"));
  if (info.has_type()) object.field("type", v1::ExecutorInfo::Type_Name(info.type()));
}

void roles_field(const v1::FrameworkInfo& info, json_object_writer& object) {
  if (info.roles().empty()) {
    object.field("role", info.role());
    return;
  }
  json_array_writer roles(object.key("roles"));
  for (const auto& role : info.roles()) roles.add(role);
}

}  // namespace troupe::state_parts
