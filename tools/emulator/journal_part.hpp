#pragma once

#include "storage/journal_actor.hpp"

#include <string>

namespace troupe {

/// A journal within a journal: an actor that keeps all that it is asked to keep below `prefix` (a path of
/// storage/keys.hpp) of another one, which answers. So many daemons share one store, each as if it had one alone, and
/// their commits one sync. Ends by an exit message.
journal_actor spawn_journal_part(caf::actor_system& system, const journal_actor& whole, const std::string& prefix);

}  // namespace troupe
