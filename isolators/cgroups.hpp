#pragma once

#include "actors/runtime/file_descriptor.hpp"
#include "isolators/cgroup_plan.hpp"
#include "protocol/error.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

struct cgroup_options {
  std::string mount = "/sys/fs/cgroup";  ///< below it one folder a controller (cgroups version 1)
  std::string root = "troupe";           ///< the group that holds all of ours
  std::string tag;  ///< the group below it that holds one agent's: keeps several on a machine apart
  bool enable = true;
  bool hard_cap_cpus = true;  ///< a quota besides shares
};

/// Does to the machine's cgroups what plans say. Each of the controllers cpu, memory and freezer is used where it is
/// mounted and writable; where none is, everything here is a harmless no-op and containers are kept together by their
/// session and their shim alone.
///
/// Thread-safe: it holds no state that changes; callers do not work on the same container at once.
class cgroups {
 public:
  /// Makes our groups, and finds out which controllers can be used; says in the log, once, which cannot and what that
  /// means.
  static cgroups detect(const cgroup_options& options);

  bool has(const std::string& controller) const { return groups_.count(controller) != 0; }

  /// What the isolators of this machine want for the container. Pure.
  isolation_plan plan(const std::string& key, const container_limits& limits) const;

  /// Makes directories and writes files. On an error nothing of the plan is left.
  result<void> carry_out(const isolation_plan& plan) const;

  /// Sends SIGKILL to every process of the container, groups below its own included. False: there was none.
  bool kill_all(const std::string& key) const;

  /// Takes the container's groups away. False: something is still in them; try again.
  bool remove(const std::string& key) const;

  /// Readable (eight bytes) each time the container runs out of memory. None: the kernel does not tell.
  file_descriptor watch_memory(const std::string& key) const;
  /// Absent: the kernel has killed nothing of the container for want of memory, nor was it about to (`notified`, by
  /// watch_memory).
  std::optional<memory_figures> memory_of(const std::string& key, bool notified) const;

  /// Containers that have a group of our tag, from whatever process.
  std::vector<std::string> leftovers() const;

  /// Takes the groups of our tag away, if they are empty.
  void remove_own() const;

 private:
  explicit cgroups(cgroup_options options) : options_(std::move(options)) {}
  std::string group_of(const std::string& controller, const std::string& key) const;
  std::vector<int> processes_of(const std::string& key) const;
  /// Kills those that are not in `killed`, and adds them. False: there was none.
  bool kill_new(const std::string& key, std::set<int>& killed) const;

  cgroup_options options_;
  std::map<std::string, std::string> groups_;  ///< controller → our tag's directory there
};

}  // namespace troupe
