#pragma once

#include "actors/runtime/process.hpp"

namespace troupe {

/// Answers to supervisor/local: starts an actor of the built-in executor at SpawnExecutor, under the process's
/// supervisor, and ends it at RetireExecutor. Both are idempotent. `agent` is whom the executors report to.
void serve_executors(process& host, const Address& agent);

}  // namespace troupe
