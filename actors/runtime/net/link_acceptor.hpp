#pragma once

#include "actors/runtime/net/io_threads.hpp"
#include "actors/runtime/net/link.hpp"
#include "protocol/error.hpp"

#include <functional>

namespace troupe {

/// How a server takes in links.
struct link_acceptor {
  /// Decides about a peer that has said who it is: who we are to it, or an error whose message the peer reads as the
  /// reason. Called on an I/O thread; must not block.
  std::function<result<link_identity>(const link_identity& peer)> admit;
  link_events events;
  link_options options;
  /// Where links run, so that what strangers make the server do does not delay them; null: on the server's threads.
  /// Outlives the server.
  io_threads* threads = nullptr;
};

/// Refuses peers whose role does not call at our door: agents, frameworks and operators call at a master's, executors
/// at their agent's. Whoever said at an agent's door that it is a master would be told what is meant for the real one.
/// Otherwise says that we are `self`.
result<link_identity> admit_callers(const link_identity& self, const link_identity& peer);

/// Refuses peers of another cluster; otherwise says that we are `self`. For acceptors that have nothing more to ask.
result<link_identity> admit_same_cluster(const link_identity& self, const link_identity& peer);

}  // namespace troupe
