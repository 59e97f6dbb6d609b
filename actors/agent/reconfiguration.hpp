#pragma once

#include "protocol/error.hpp"
#include "troupe/v1/troupe.pb.h"

#include <optional>
#include <string_view>

namespace troupe {

/// What an agent that comes back may have changed about itself. Where it listens (`port`) may always change.
enum class reconfiguration_policy {
  equal,    ///< nothing
  additive  ///< it has all that it had, and perhaps more of it, or more besides
};

/// `equal` or `additive`; nothing for any other word.
std::optional<reconfiguration_policy> reconfiguration_policy_of(std::string_view word);

/// May an agent that was admitted as `recorded` come back as `wanted`? Additive is: of each resource as much, all of a
/// range or set; each attribute, where a text is the same, a number not smaller, a range or set not less; further
/// resources and attributes; a domain where there was none; the same hostname. Where a name has several attributes,
/// they are compared in their order.
///
/// Errors: conflict, with a line for each resource, attribute or field that may not change like this: what it was, what
/// it would be, and what would be valid.
result<void> check_reconfiguration(const v1::AgentInfo& recorded, const v1::AgentInfo& wanted,
                                   reconfiguration_policy policy);

}  // namespace troupe
