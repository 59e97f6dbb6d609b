#pragma once

#include "actors/agent/agent_options.hpp"
#include "actors/runtime/process.hpp"
#include "actors/runtime/view_desk.hpp"

#include <functional>

namespace troupe {

/// Starts the agent's shell under the process's supervisor. `self` is agent/<id>, with the id that durable_id gives for
/// keys::identity("agent"). Its records lie under agent/. `on_ready` is called in the actor's thread, at each start.
void start_agent(process& host, const Address& self, const agent_options& options, view_desk& desk,
                 std::function<void(const Address&)> on_ready);

}  // namespace troupe
