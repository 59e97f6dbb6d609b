#pragma once

#include "protocol/json_text.hpp"

#include <google/protobuf/message.h>

#include <string>
#include <vector>

/// Messages as JSON, in the form that clients of the v1 API read:
///   - keys are field names, in the order of the message's declaration;
///   - fields that are set, and unset optional ones that have an explicit default and are not deprecated;
///   - repeated fields and maps only when not empty; maps by rising key;
///   - integers of all sizes as numbers, bytes as padded base64, enums as names.
/// Messages need not be complete. Equal messages give equal text.
namespace troupe {

struct json_options {
  /// Messages of these types have their repeated fields written also when empty (not the deprecated ones).
  std::vector<const google::protobuf::Descriptor*> empty_lists_of;
};

void append_json(const google::protobuf::Message& message, std::string& out);
void append_json(const google::protobuf::Message& message, std::string& out, const json_options& options);

std::string to_json(const google::protobuf::Message& message, const json_options& options = {});

}  // namespace troupe
