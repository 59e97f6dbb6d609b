#pragma once

#include "protocol/error.hpp"

#include <google/protobuf/message.h>

#include <cstddef>
#include <string_view>

/// JSON from anybody into any message, as the v1 API reads it:
///   - keys are field names; unknown keys are skipped, null is as if the key were absent, a key that comes twice is
///   refused;
///   - a repeated field takes an array, or a single element bare; a map takes an object;
///   - scalars as in protocol/json_fields.hpp;
///   - required fields must be there, everywhere.
namespace troupe {

/// What a stranger may make us spend.
struct json_limits {
  std::size_t max_bytes = 8 << 20;     ///< of text
  std::size_t max_depth = 64;          ///< arrays and objects within each other
  std::size_t max_values = 1'000'000;  ///< of any kind, nested ones included
};

/// Replaces the content of `message`; after an error it is unspecified. Errors are invalid_argument. They begin with
/// "could not parse" (this is no JSON) or with "could not convert" (but not for this message), and name the field's
/// path (accept.operations[0].launch.task_infos[2].limits["cpus"].value) and what was expected there.
result<void> from_json(std::string_view text, google::protobuf::Message& message, const json_limits& limits = {});

}  // namespace troupe
