#pragma once

#include "actors/agent/agent_options.hpp"
#include "actors/runtime/actor_host.hpp"
#include "actors/runtime/view_desk.hpp"

#include <functional>

namespace troupe {

/// Starts the agent's shell under its host's supervisor. `self` is agent/<id>, with the id that durable_id gives for
/// keys::identity("agent"). Its records lie under agent/. `on_ready` is called in the actor's thread, at each start.
/// Without a desk nobody asks for its views.
void start_agent(const actor_host& host, const Address& self, const agent_options& options, view_desk* desk,
                 std::function<void(const Address&)> on_ready);

}  // namespace troupe
