#pragma once

#include "protocol/json_text.hpp"
#include "protocol/resources.hpp"
#include "troupe/v1/troupe.pb.h"

#include <string>

namespace troupe {
struct daemon_facts;
}

/// The shapes that `/state` of masters and of agents share.
namespace troupe::state_parts {

/// cpus, gpus, mem and disk always; ranges and sets as text; revocable ones under `<name>_revocable`.
void resources_object(const resources& all, std::string& out);
void resources_object(const resources::proto_list& list, std::string& out);

/// role → resources, of what is reserved.
void reserved_object(const resources& all, std::string& out);

/// The same with nothing summed up: each entry as a Resource message.
void reserved_full_object(const resources& all, std::string& out);
void full_array(const resources& all, std::string& out);

/// To whom resources are allocated; "*" if that is not said.
std::string role_of(const resources::proto_list& list);

void attributes_object(const google::protobuf::RepeatedPtrField<v1::Attribute>& attributes, std::string& out);
void labels_array(const v1::Labels& labels, std::string& out);
void command_object(const v1::CommandInfo& command, std::string& out);
void task_object(const v1::Task& task, std::string& out);
void tasks_array(const google::protobuf::RepeatedPtrField<v1::Task>& tasks, std::string& out);

/// What every agent can do that a master of this release takes in.
void agent_capabilities_array(std::string& out);

/// What the process knows of itself.
void facts_fields(const daemon_facts& facts, json_object_writer& object);
/// role, labels and type, as far as they are known.
void executor_fields(const v1::ExecutorInfo& info, json_object_writer& object);
/// `roles`, or `role` of a framework that has but one.
void roles_field(const v1::FrameworkInfo& info, json_object_writer& object);

double seconds(const v1::TimeInfo& time);

}  // namespace troupe::state_parts
