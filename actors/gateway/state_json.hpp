#pragma once

#include "actors/gateway/build_facts.hpp"
#include "troupe/internal/agent_state.pb.h"
#include "troupe/internal/master_state.pb.h"

#include <map>
#include <string>

/// `/state` in the shape that existing tools poll, hence with the key names of old ("slave" for agent, "pid" for an
/// address). Troupe's own additions: `insecure`, `cluster_id`, `epoch`, and of a task status `message`, `reason`,
/// `source`.
namespace troupe {

/// What the process knows of itself beside its actors.
struct daemon_facts {
  build_facts build;
  double start_time = 0;  ///< seconds since 1970
  std::string hostname;
  std::string address;    ///< host:port
  bool insecure = false;  ///< listens beyond loopback without authentication
  std::map<std::string, std::string> flags;
};

std::string master_state_json(const internal::MasterView& view, const daemon_facts& facts);
std::string agent_state_json(const internal::AgentView& view, const daemon_facts& facts);

}  // namespace troupe
