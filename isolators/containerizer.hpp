#pragma once

#include "isolators/cgroups.hpp"
#include "isolators/container.hpp"
#include "isolators/descriptor_limit.hpp"
#include "isolators/poller.hpp"
#include "protocol/error.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace troupe {

struct found_container;

struct containerizer_options {
  std::string runtime_directory;                  ///< absolute; ours alone; best on a file system that a reboot clears
  std::string shim_path;                          ///< launcher.hpp: shim_beside_program()
  std::chrono::milliseconds shim_end_max{5'000};  ///< what a shim that is told to end may take before it is killed
  cgroup_options cgroups;                         ///< an empty tag is derived from the runtime directory
  bool leave_running = false;                     ///< at its end containers go on, for a later one to take over
};

/// Starts and ends processes, each group of them a container held by its shim. Thread-safe; launches of different
/// containers run side by side in the threads that ask for them, ends are seen to by a thread of its own.
///
/// Each launch is answered by ContainerLaunched or ContainerLaunchFailed; each launched container by one
/// ContainerExited, when nothing of it is left: no process and no cgroup (its sandbox stays). Requests may be repeated:
/// see protocol/…/container.proto. How it ended is kept, in memory and in its runtime files, until it is released; the
/// answers to the last 1,024 released ones in memory.
///
/// Containers outlive a process that was killed, and one that leaves them running. The next with the same runtime
/// directory takes them over: those that run go on, those that ended meanwhile have ended as they did, and none is ever
/// run again. Nobody is told of that until somebody asks, by a launch, signal or destroy.
class containerizer {
 public:
  /// Hears what becomes of containers, in order for each of them; called in the caller's thread or in our own, never
  /// with a lock held.
  using listener = std::function<void(const container_event&)>;

  /// Takes over what an earlier process with this runtime directory left (recovery.hpp), then is ready.
  static result<std::unique_ptr<containerizer>> start(const containerizer_options& options, listener listen);

  /// Ends and forgets all that an earlier process with this runtime directory left, released or not.
  static result<void> end_leftovers(const containerizer_options& options);

  /// Ends all containers, unless they are to be left running, and waits for their ends, which are still told; then
  /// takes our cgroups away where nothing is in them.
  ~containerizer();

  void launch(const internal::LaunchContainer& request);
  /// To the group of processes that the container's first process leads. 0 reaches nobody, but asks whether there is
  /// such a container.
  void signal(const internal::SignalContainer& request);
  /// Ends everything in the container at once.
  void destroy(const internal::DestroyContainer& request);
  void release(const internal::ReleaseContainer& request);
  void keep(const internal::KeepContainers& request);
  /// Ends all containers and waits, not for ever, for their ends.
  void end_all();

 private:
  using container_ptr = std::shared_ptr<container>;

  containerizer(const containerizer_options& options, listener listen, class cgroups groups);

  // Before anything is asked. containerizer_recovery.cpp
  void take_over(found_container found);
  void watch_again(const container_ptr& c);

  // In the thread that launches.
  bool answer_repeated(const std::string& key);
  result<void> prepare(container& c, const internal::LaunchContainer& request);
  result<void> start_in(container& c);
  void watch(const container_ptr& c);

  // In the poller's thread.
  void on_report(const container_ptr& c);
  void on_out_of_memory(const container_ptr& c);
  void on_shim_ended(const container_ptr& c);
  void conclude_report(const container_ptr& c);
  void clear(const container_ptr& c);
  bool clear_once(const container& c);
  void escalate(const container_ptr& c);

  void kill_now(const container_ptr& c);
  void finish(const container_ptr& c, container_event last);
  void record_end(const container_files& files, const ended_containers::end& how) const;
  void release_end(const std::string& key);
  container_ptr find(const std::string& key) const;

  const containerizer_options options_;
  const listener listen_;
  const class cgroups groups_;
  const std::string boot_id_;
  const raised_descriptor_limit descriptor_limit_;

  mutable std::mutex mutex_;
  std::condition_variable all_ended_;
  std::map<std::string, container_ptr> containers_;
  ended_containers ended_;

  poller poller_;  ///< last: its thread uses all the others
};

}  // namespace troupe
