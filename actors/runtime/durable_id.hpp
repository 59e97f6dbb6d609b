#pragma once

#include "actors/runtime/actor_host.hpp"
#include "protocol/error.hpp"

#include <string>

namespace troupe {

/// The id that an identity record holds; drawn, and made durable, if there is none yet. For an actor whose address must
/// be known before it has recovered. Blocks; not for actors. Errors: those of the journal.
result<std::string> durable_id(const actor_host& host, const std::string& identity_key);
inline result<std::string> durable_id(process& host, const std::string& identity_key) {
  return durable_id(host_of(host), identity_key);
}

}  // namespace troupe
