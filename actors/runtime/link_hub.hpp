#pragma once

#include "actors/runtime/directory.hpp"
#include "actors/runtime/net/link.hpp"
#include "actors/runtime/status_block.hpp"

#include <caf/actor_system.hpp>

#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// Between the links of a process and its directory.
///
///     link up    a proxy actor with the far actor's interface, under the peer's address; PeerConnected
///     envelope   checked, parsed, delivered through the directory; its credit goes back when the actor is done
///     letter     proxy, serialised, link.send
///     link down  proxy gone, PeerDisconnected to the local actor
///
/// A peer speaks for itself only: what claims to come from somebody else, and what its role may not say, is dropped and
/// counted. A second link of the same peer replaces the first: the local actor hears PeerDisconnected and then
/// PeerConnected, and nothing more of the first.
///
/// Thread-safe. The actor system, the directory and the board outlive it; links may outlive it.
class link_hub {
 public:
  /// `local` hears of peers that come and go; if it is an endpoint of other kind than an actor, it must not call the
  /// hub from there. `counters` are those of the links' options.
  link_hub(caf::actor_system& system, directory& names, status_board& board, Address local,
           std::shared_ptr<link_counters> counters);
  ~link_hub();
  link_hub(const link_hub&) = delete;
  link_hub& operator=(const link_hub&) = delete;

  /// For an acceptor or a connector.
  link_events events();

  /// Tells the local actor of every peer that is there, again: after it was restarted.
  void announce_peers();

  std::vector<link_identity> peers() const;

  /// Closes the link of this peer, if there is one.
  void close_peer(const Address& peer, const std::string& reason);

  /// Closes all links and ends all proxies. What links still say after it is ignored.
  void stop();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace troupe
