#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string_view>

namespace troupe {

/// What lies under a key of the tree in storage/keys.hpp: an empty message of its type. Nothing for keys that are in no
/// tree, and for what programs of frameworks put into theirs.
std::unique_ptr<google::protobuf::Message> record_type(std::string_view key);

}  // namespace troupe
