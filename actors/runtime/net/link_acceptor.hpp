#pragma once

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
};

/// Refuses peers of another cluster; otherwise says that we are `self`. For acceptors that have nothing more to ask.
result<link_identity> admit_same_cluster(const link_identity& self, const link_identity& peer);

}  // namespace troupe
