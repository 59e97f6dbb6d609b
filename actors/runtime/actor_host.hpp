#pragma once

#include "actors/runtime/process.hpp"

#include <functional>
#include <utility>

namespace troupe {

/// Where the actors of one daemon live. A process is one; where many daemons share a process, each has services of its
/// own. All of it outlives the actors.
struct actor_host {
  caf::actor_system& system;
  services& rt;
  std::function<void(child_spec)> supervise;  ///< starts an actor, and again whenever it fails; any thread
};

inline actor_host host_of(process& whole) {
  return {whole.system(), whole.rt(), [&whole](child_spec child) { whole.supervise(std::move(child)); }};
}

}  // namespace troupe
