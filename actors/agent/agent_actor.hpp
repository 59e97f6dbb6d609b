#pragma once

#include "actors/agent/agent_options.hpp"
#include "actors/runtime/process.hpp"
#include "actors/runtime/view_desk.hpp"

#include <functional>

namespace troupe {

/// Starts the agent's shell under the process's supervisor, at agent/<its durable id>. Its records lie under agent/.
/// `on_ready` hears that address in the actor's thread, at each start.
void start_agent(process& host, const agent_options& options, view_desk& desk,
                 std::function<void(const Address&)> on_ready);

}  // namespace troupe
