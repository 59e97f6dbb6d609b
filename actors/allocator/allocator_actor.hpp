#pragma once

#include "actors/allocator/allocator_core.hpp"
#include "actors/runtime/process.hpp"
#include "actors/runtime/view_desk.hpp"

namespace troupe {

/// Starts the allocator's shell under the process's supervisor, at allocator/leader. It remembers nothing.
void start_allocator(process& host, const allocator_options& options, view_desk& desk);

}  // namespace troupe
