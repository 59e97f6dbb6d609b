#pragma once

#include "actors/runtime/actor_host.hpp"

namespace troupe {

/// Answers to supervisor/local: starts an actor of the built-in executor at SpawnExecutor, under its host's
/// supervisor, and ends it at RetireExecutor. Both are idempotent. `agent` is whom the executors report to.
void serve_executors(const actor_host& host, const Address& agent);

}  // namespace troupe
