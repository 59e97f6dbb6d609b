#include "actors/runtime/net/link_acceptor.hpp"

#include "protocol/verbs.hpp"

namespace troupe {

namespace {

bool calls_at(Role door, Role caller) {
  switch (caller) {
    case internal::AGENT:
    case internal::FRAMEWORK:
    case internal::OPERATOR:
      return door == internal::MASTER;
    case internal::EXECUTOR:
      return door == internal::AGENT;
    case internal::MASTER:
    case internal::NOBODY:
    case internal::ALLOCATOR:
    case internal::CONTAINERIZER:
    case internal::SUPERVISOR:
    case internal::RUNTIME:
    case internal::COORDINATOR:
    case internal::ELECTOR:
      return false;
  }
  return false;
}

}  // namespace

result<link_identity> admit_callers(const link_identity& self, const link_identity& peer) {
  if (calls_at(self.role, peer.role)) return self;
  return invalid("role: " + std::string(role_name(peer.role)) + " does not call at the door of this " +
                 std::string(role_name(self.role)) +
                 "; agents, frameworks and operators call at a master, executors at their agent");
}

result<link_identity> admit_same_cluster(const link_identity& self, const link_identity& peer) {
  if (self.cluster_id.empty() || peer.cluster_id.empty() || self.cluster_id == peer.cluster_id) return self;
  return error{errc::conflict,
               to_string(peer.address()) + " belongs to cluster " + peer.cluster_id + ", and this is cluster " +
                   self.cluster_id +
                   ": start it with an empty work folder to join this one, or give it the address of its own"};
}

}  // namespace troupe
