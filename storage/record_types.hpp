#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What lies under a key of the tree in storage/keys.hpp: an empty message of its type. Nothing for keys that are in no
/// tree, and for what programs of frameworks put into theirs.
std::unique_ptr<google::protobuf::Message> record_type(std::string_view key);

/// Every place of the tree that has a type, as a path whose components are names, or `*` for any: `agent/task/*/*`.
std::vector<std::string> record_places();

}  // namespace troupe
