#pragma once

#include "actors/runtime/actor_host.hpp"
#include "protocol/error.hpp"

#include <string>

namespace troupe {

/// Erases every record below a prefix (storage/keys.hpp), durably, before the actor that owns them is started. Blocks;
/// not for actors. Errors: those of the journal.
result<void> forget_records(const actor_host& host, const std::string& prefix);

}  // namespace troupe
