#pragma once

#include "protocol/json_text.hpp"
#include "protocol/resources.hpp"
#include "troupe/v1/troupe.pb.h"

#include <string>

/// The shapes that `/state` of masters and of agents share.
namespace troupe::state_parts {

/// cpus, gpus, mem and disk always; ranges and sets as text; revocable ones under `<name>_revocable`.
void resources_object(const resources& all, std::string& out);
void resources_object(const resources::proto_list& list, std::string& out);

/// role → resources, of what is reserved.
void reserved_object(const resources& all, std::string& out);

void attributes_object(const google::protobuf::RepeatedPtrField<v1::Attribute>& attributes, std::string& out);
void labels_array(const v1::Labels& labels, std::string& out);
void command_object(const v1::CommandInfo& command, std::string& out);
void task_object(const v1::Task& task, std::string& out);

double seconds(const v1::TimeInfo& time);

}  // namespace troupe::state_parts
