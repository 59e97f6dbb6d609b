#include "actors/runtime/supervisor.hpp"

#include <spdlog/spdlog.h>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>

namespace troupe {

namespace {

struct supervisor_state {
  using self_pointer = supervisor_actor::stateful_pointer<supervisor_state>;

  void begin(self_pointer own, supervisor_options chosen, std::vector<child_spec> children) {
    self = own;
    options = std::move(chosen);
    intensity = std::make_unique<restart_intensity>(options.restarts_max, options.window);
    self->set_down_handler([this](const caf::down_msg& down) { on_down(down); });
    self->set_exit_handler([this](const caf::exit_msg& exit) { on_exit(exit); });
    for (auto& child : children) start(std::move(child));
  }

  void start(child_spec child) {
    auto actor = child.start();
    self->monitor(caf::actor_cast<caf::actor_addr>(actor));
    running[caf::actor_cast<caf::actor_addr>(actor)] = {std::move(child), actor};
  }

  void on_down(const caf::down_msg& down) {
    auto it = running.find(down.source);
    if (it == running.end()) return;
    auto child = std::move(it->second.spec);
    running.erase(it);
    bool ended_well = !down.reason || down.reason == caf::exit_reason::user_shutdown;
    if (ending || down.reason == caf::exit_reason::user_shutdown || (child.transient && ended_well)) return;
    if (options.hopeless && options.hopeless()) return;
    spdlog::error("supervisor.child_failed child={} reason={}", child.name, caf::to_string(down.reason));
    if (!intensity->allow(monotonic_now(self->system()))) {
      if (options.on_give_up)
        options.on_give_up(child.name + " failed more than " + std::to_string(options.restarts_max) + " times within " +
                           std::to_string(options.window.count()) + " s: " + caf::to_string(down.reason));
      return;
    }
    if (options.on_restart) options.on_restart(child.name);
    start(std::move(child));
  }

  // The supervisor goes last: its children first, newest to oldest is not needed since none depends on another's end.
  void on_exit(const caf::exit_msg& exit) {
    ending = true;
    for (auto& [addr, child] : running)
      self->send_exit(caf::actor_cast<caf::actor>(child.actor), caf::exit_reason::user_shutdown);
    running.clear();
    self->quit(exit.reason);
  }

  struct running_child {
    child_spec spec;
    caf::strong_actor_ptr actor;
  };

  self_pointer self = nullptr;
  supervisor_options options;
  std::unique_ptr<restart_intensity> intensity;
  std::map<caf::actor_addr, running_child> running;
  bool ending = false;
};

supervisor_actor::behavior_type run_supervisor(supervisor_state::self_pointer self, supervisor_options options,
                                               std::vector<child_spec> children) {
  self->state.begin(self, std::move(options), std::move(children));
  return {[self](const supervise& request) { self->state.start(*request.child); }};
}

}  // namespace

supervisor_actor spawn_supervisor(caf::actor_system& system, supervisor_options options,
                                  std::vector<child_spec> children) {
  return system.spawn(run_supervisor, std::move(options), std::move(children));
}

}  // namespace troupe
