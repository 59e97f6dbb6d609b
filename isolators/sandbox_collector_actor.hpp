#pragma once

#include "actors/runtime/process.hpp"
#include "isolators/sandbox_collector.hpp"

namespace troupe {

/// A thread of its own that collects sandboxes, a round each interval: trees can be large, and nobody waits for it.
void start_sandbox_collector(process& host, const collection_options& options);

}  // namespace troupe
