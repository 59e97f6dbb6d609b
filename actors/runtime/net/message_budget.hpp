#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstddef>
#include <string_view>

namespace troupe {

/// Whether parsing `bytes` as a message of this type takes memory in proportion to them: two bytes can stand for an
/// empty message of hundreds. Up to 1 MiB always does; beyond, what would be an object of its own (messages, repeated
/// texts, unknown fields) is counted and must not pass about a million. False for what is malformed or nests more than
/// `depth_max` deep, too.
bool within_budget(std::string_view bytes, const google::protobuf::Descriptor& type, int depth_max);

/// Replaces `into` by what a stranger's bytes say, if they are all of one message within that budget. False leaves it
/// unspecified.
bool parse_within_budget(std::string_view bytes, google::protobuf::Message& into, int depth_max);

}  // namespace troupe
