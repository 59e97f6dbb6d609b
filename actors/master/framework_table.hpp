#pragma once

#include "actors/master/task_ring.hpp"
#include "actors/runtime/step.hpp"
#include "protocol/address.hpp"
#include "protocol/ids.hpp"
#include "protocol/resources.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// A kill that was asked for and has not ended its task yet.
struct pending_kill {
  std::optional<v1::KillPolicy> policy;
  std::chrono::nanoseconds wait{0};  ///< after the present repetition
};

/// A task that runs, or has ended with an update that its framework has not acknowledged.
struct tracked_task {
  v1::Task task;      ///< `state` is the latest known one; its statuses carry no data
  resources charged;  ///< with their allocation role; empty once the task holds nothing
  std::optional<pending_kill> kill;
};

/// A question of a framework about one of its tasks.
struct task_question {
  std::optional<agent_id> agent;  ///< where the framework thinks that it runs
  bool implied = false;           ///< asked after without being named
};

/// What is asked by naming a task, and its agent or not.
template <class Message>
task_question question_of(const Message& asked) {
  return {asked.has_agent_id() ? std::optional<agent_id>(asked.agent_id()) : std::nullopt};
}

/// A framework that is not over.
///
///     connected ⇄ disconnected (with a deadline to come back) ─► removed, for ever
struct framework {
  framework_id id;
  v1::FrameworkInfo info;     ///< with its id
  std::optional<Address> at;  ///< absent while it is not connected
  wall_time registered_at{};  ///< at this master; the epoch of the clock if it has not subscribed here
  std::optional<wall_time> reregistered_at;
  std::set<std::string> suppressed;
  std::map<task_id, tracked_task> tasks;
  task_ring unreachable;
  task_ring completed;
  /// Of unreachable tasks: said when their agent is back.
  std::map<task_id, std::optional<v1::KillPolicy>> away_kills;
  /// To be answered yet. What is asked again before it is answered is answered once.
  std::map<task_id, task_question> questions;

  bool connected() const { return at.has_value(); }
};

/// A framework that is over, for people to look at.
struct completed_framework {
  v1::FrameworkInfo info;
  wall_time registered_at{};
  std::optional<wall_time> reregistered_at;
  wall_time unregistered_at{};
  task_ring unreachable;
  task_ring completed;
};

bool has_capability(const v1::FrameworkInfo& info, v1::FrameworkInfo::Capability::Type capability);
bool partition_aware(const v1::FrameworkInfo& info);

/// The roles that a framework subscribes to, in its own order.
std::vector<std::string> roles_of(const v1::FrameworkInfo& info);

/// How long a framework may stay away. `failover_timeout` has been validated.
std::chrono::nanoseconds failover_timeout(const v1::FrameworkInfo& info);

/// Every framework, the ids of removed ones included.
class framework_table {
 public:
  const std::map<framework_id, framework>& live() const { return live_; }
  std::map<framework_id, framework>& live() { return live_; }
  const std::deque<completed_framework>& completed() const { return completed_; }  ///< oldest first
  /// Ids that are refused, and since when.
  const std::map<framework_id, wall_time>& removed() const { return removed_; }

  framework* find(const framework_id& id);
  const framework* find(const framework_id& id) const;
  /// The connected framework that writes from there.
  framework* at(const Address& where);
  bool is_removed(const framework_id& id) const { return removed_.count(id) != 0; }

  framework& add(framework entry);
  void connect(framework& entry, const Address& where);
  /// Its questions are void.
  void disconnect(framework& entry);
  /// One that is named goes before one that is implied.
  void ask(framework& entry, const task_id& id, task_question question);
  /// The first that waits. Requires that there is one.
  std::pair<task_id, task_question> take_question(framework& entry);
  /// Its end has been told.
  void drop_question(framework& entry, const task_id& id);
  /// Those that have questions.
  const std::set<framework_id>& asking() const { return asking_; }
  void forget(const framework_id& id);
  void add_removed(const framework_id& id, wall_time since) { removed_[id] = since; }
  /// Forgets ids that were removed before `oldest`, then the oldest that exceed `count_max`; names them.
  std::vector<framework_id> prune_removed(wall_time oldest, std::size_t count_max);
  void add_completed(completed_framework entry, std::size_t count_max);

  /// Throws std::logic_error naming the framework whose indices disagree.
  void check_invariants() const;

 private:
  std::map<framework_id, framework> live_;
  std::deque<completed_framework> completed_;
  std::map<framework_id, wall_time> removed_;
  std::map<Address, framework_id, address_less> by_address_;
  std::set<framework_id> asking_;
};

}  // namespace troupe
