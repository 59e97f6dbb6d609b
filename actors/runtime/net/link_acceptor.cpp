#include "actors/runtime/net/link_acceptor.hpp"

namespace troupe {

result<link_identity> admit_same_cluster(const link_identity& self, const link_identity& peer) {
  if (self.cluster_id.empty() || peer.cluster_id.empty() || self.cluster_id == peer.cluster_id) return self;
  return error{errc::conflict,
               to_string(peer.address()) + " belongs to cluster " + peer.cluster_id + ", and this is cluster " +
                   self.cluster_id +
                   ": start it with an empty work folder to join this one, or give it the address of its own"};
}

}  // namespace troupe
