#pragma once

#include "actors/runtime/step.hpp"
#include "protocol/address.hpp"
#include "protocol/ids.hpp"
#include "protocol/resources.hpp"
#include "troupe/internal/records.pb.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

using task_key = std::pair<framework_id, task_id>;
using executor_key = std::pair<framework_id, executor_id>;

/// A framework's own executor on an agent. Its resources are charged once, as long as it lives.
struct executor_entry {
  v1::ExecutorInfo info;  ///< with its framework's id
  resources charged;
  /// The agent came back without naming it: it ends with its last task.
  bool unlisted = false;
};

/// An agent that has registered at this master.
///
///     connected ⇄ disconnected (its link broke; it must register again in time) ─► unreachable
struct registered_agent {
  agent_id id;
  v1::AgentInfo info;  ///< with its id
  std::string version;
  Address at;  ///< nobody, once another agent writes from there
  bool connected = true;
  wall_time registered_at;
  std::optional<wall_time> reregistered_at;

  std::uint64_t ping_number = 0;
  bool ping_outstanding = false;
  unsigned pings_missed = 0;

  resources total;
  resources used;            ///< by tasks and executors; without allocation roles
  resources offered;         ///< the same
  std::set<task_key> tasks;  ///< live, or ended and not acknowledged
  std::map<executor_key, executor_entry> executors;
};

/// An agent that the registry knows and that is not registered now.
struct absent_agent {
  v1::AgentInfo info;  ///< with its id
  Address at;          ///< nobody, once another agent has written from there
  wall_time since;     ///< of being unreachable or gone; of no meaning for a recovered one
};

/// Every agent that the master knows, each in exactly one of four states:
///
///     recovered ──► registered ⇄ unreachable
///         └──────────────────────►  │        gone (never comes back)
class agent_table {
 public:
  const std::map<agent_id, registered_agent>& registered() const { return registered_; }
  const std::map<agent_id, absent_agent>& recovered() const { return recovered_; }
  const std::map<agent_id, absent_agent>& unreachable() const { return unreachable_; }
  const std::map<agent_id, absent_agent>& gone() const { return gone_; }

  registered_agent* find(const agent_id& id);
  const registered_agent* find(const agent_id& id) const;
  /// The registered agent that writes from there.
  registered_agent* at(const Address& where);
  /// The agent that last wrote from there, registered or not; gone ones excepted.
  std::optional<agent_id> last_at(const Address& where) const;

  /// Registers an agent, whichever state it was in. Whoever had its address before is left without one.
  registered_agent& admit(registered_agent agent);
  void move(registered_agent& agent, const Address& to);
  void add_recovered(absent_agent agent) { add_absent(recovered_, std::move(agent)); }
  void add_unreachable(absent_agent agent) { add_absent(unreachable_, std::move(agent)); }
  void add_gone(absent_agent agent) { add_absent(gone_, std::move(agent)); }
  void erase(const agent_id& id);

  /// Forgets unreachable and gone agents that are so since before `oldest`, then the oldest of each that exceed
  /// `count_max`; names them.
  std::vector<agent_id> prune(wall_time oldest, std::size_t count_max);

  /// Throws std::logic_error naming the agent that is in two states, or whose address leads elsewhere.
  void check_invariants() const;

 private:
  using absent_agents = std::map<agent_id, absent_agent>;
  void add_absent(absent_agents& where, absent_agent agent);
  void unbind(const agent_id& id, const Address& where);
  void displace(const agent_id& id);
  void bind(const agent_id& id, const Address& where);

  std::map<agent_id, registered_agent> registered_;
  absent_agents recovered_;
  absent_agents unreachable_;
  absent_agents gone_;
  std::map<Address, agent_id, address_less> by_address_;
};

}  // namespace troupe
