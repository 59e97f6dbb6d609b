#pragma once

#include "protocol/resources.hpp"

#include <string_view>

namespace troupe {

// Checks that several roles make of what came from outside. Each error says which rule is broken, for the one who sent
// it.

/// Ids that outsiders choose (tasks, executors, frameworks, volumes): 1 to 255 bytes, not `.` or `..`, no control
/// character,
/// `/` or `\`. `field` is how the message names it.
result<void> validate_id(std::string_view field, std::string_view id);

/// Is every resource of the list well-formed (the rules of resources::from)?
result<void> validate_resources(const resources::proto_list& list);

/// All entries are allocated, and to one role.
result<void> validate_single_allocation(const resources& r);

/// All entries are of one resource provider, or all of the agent itself.
result<void> validate_single_provider(const resources& r);

/// No name is used revocably and not revocably at once.
result<void> validate_revocability(const resources& r);

/// No two persistent volumes have the same id within a role; shares of one shared volume are one volume.
result<void> validate_volume_ids(const resources& r);

}  // namespace troupe
