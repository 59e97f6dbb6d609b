#pragma once

#include "actors/master/master_options.hpp"
#include "actors/runtime/process.hpp"
#include "actors/runtime/view_desk.hpp"

namespace troupe {

/// Starts the master's shell under the process's supervisor, at master/leader. Its records lie under master/.
void start_master(process& host, const master_options& options, view_desk& desk);

}  // namespace troupe
