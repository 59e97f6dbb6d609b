#pragma once

#include "isolators/cgroup_plan.hpp"
#include "isolators/launch_plan.hpp"
#include "isolators/launcher.hpp"
#include "isolators/poller.hpp"
#include "troupe/internal/container.pb.h"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// What becomes of a container.
using container_event =
    std::variant<internal::ContainerLaunched, internal::ContainerLaunchFailed, internal::ContainerExited>;

const v1::ContainerID& container_of(const container_event& event);

/// What the containerizer knows of a container that has not ended.
///
///     starting ── exec has happened ──► running ── the shim has ended ──► clearing ──► gone
///        └──────── it has not ──────────────────────────────────────────────┘
struct container {
  v1::ContainerID id;
  std::string key;
  launch_plan plan;  ///< emptied once the task runs: environments can be large
  started_shim shim;
  file_descriptor memory_event;
  poller::watch_id report_watch = 0;
  poller::watch_id shim_watch = 0;
  poller::watch_id memory_watch = 0;
  std::string report;  ///< what has been read of it so far
  bool report_done = false;

  // What follows is shared between threads, under the containerizer's lock; what stands above belongs to the launching
  // thread, then to the poller's.
  std::optional<internal::ContainerLaunched> launched;
  std::optional<std::string> failure;  ///< why there never was a task
  std::vector<int> early_signals;      ///< asked for before there was a task to hear them
  bool destroyed = false;              ///< asked for, perhaps before there was anything to destroy
  bool kill_sent = false;
  bool shim_ended = false;
  bool released = false;  ///< nobody needs to hear of its end
  bool out_of_memory = false;
  container_record record;               ///< what its shim left
  std::optional<memory_figures> memory;  ///< if it ran out
  int clearings = 0;                     ///< attempts so far
};

/// How containers ended: each that is not released, and of those that are, the last 1,024, to answer requests that come
/// twice. Not thread-safe.
class ended_containers {
 public:
  struct end {
    std::optional<internal::ContainerLaunched> launched;
    container_event last;
  };

  void add(const std::string& key, end how);
  const end* find(const std::string& key) const;
  /// False: there is no such end, or it has been released already.
  bool release(const std::string& key);
  /// Those that are not released.
  std::vector<std::string> kept() const;

 private:
  struct entry {
    end how;
    bool released = false;
  };
  std::map<std::string, entry> ends_;
  std::deque<std::string> released_;  ///< the longest ago first
};

/// Reads what there is of the shim's report. True: it is at its end.
bool read_report(container& c);

/// To the group of processes that the task leads, if it is there.
void signal_task(const internal::ContainerLaunched& task, int number);

/// What its end is called when it has been cleared away.
container_event last_event(const container& c);

/// The two forms of an end: as it is kept in the runtime directory, and as it is told.
internal::ContainerEnd end_message(const ended_containers::end& how, const std::string& boot);
/// Absent: it says nothing.
std::optional<ended_containers::end> end_of(const internal::ContainerEnd& message);

}  // namespace troupe
