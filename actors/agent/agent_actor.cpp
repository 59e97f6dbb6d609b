#include "actors/agent/agent_actor.hpp"

#include "actors/agent/agent.hpp"
#include "actors/runtime/shell.hpp"

namespace troupe {

void start_agent(const actor_host& host, const Address& self, const agent_options& options, view_desk* desk,
                 std::function<void(const Address&)> on_ready) {
  shell_setup<agent> setup;
  setup.at = self;
  setup.identity = keys::identity("agent");
  setup.prefixes = {"agent"};
  setup.make = [options] { return agent(options); };
  setup.options = std::make_shared<const internal::AgentOptions>(options_message(options));
  setup.desk = desk;
  setup.on_ready = std::move(on_ready);
  host.supervise(shell_child<agent, agent_actor>(host.system, host.rt, "agent", setup));
}

}  // namespace troupe
