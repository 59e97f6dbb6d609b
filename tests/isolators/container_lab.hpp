#pragma once

#include "isolators/containerizer.hpp"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {

/// A containerizer of a test's own, in a folder and in cgroups of its own. Whatever happens in the test, nothing of it
/// is left.
class container_lab {
 public:
  explicit container_lab(bool with_cgroups = true);
  ~container_lab();

  containerizer& hands() { return *hands_; }
  const containerizer_options& options() const { return options_; }
  /// Ends the containerizer, and with it all that runs.
  void close() { hands_.reset(); }

  /// A launch of `sh -c script` with a sandbox of its own.
  internal::LaunchContainer shell(const std::string& id, const std::string& script) const;
  std::string sandbox_of(const std::string& id) const { return folder_ + "/sandboxes/" + id; }
  /// A file of the sandbox, without white space at its end.
  std::string output_of(const std::string& id, const std::string& file = "stdout") const;

  // Each waits for that answer about the container, and fails the test if another comes, or none.
  internal::ContainerLaunched await_launched(const std::string& id) { return await<internal::ContainerLaunched>(id); }
  internal::ContainerLaunchFailed await_failed(const std::string& id) {
    return await<internal::ContainerLaunchFailed>(id);
  }
  internal::ContainerExited await_exited(const std::string& id) { return await<internal::ContainerExited>(id); }
  internal::ContainerExited run(const internal::LaunchContainer& launch);

  /// Waits for the file to be there; its content, without white space at its end.
  std::string await_file(const std::string& id, const std::string& file) const;

  bool has_memory_cgroup() const;
  /// The containers' groups, of all controllers.
  std::vector<std::string> groups() const;

 private:
  container_event next(const std::string& id);
  template <class Event>
  Event await(const std::string& id) {
    auto event = next(id);
    auto* wanted = std::get_if<Event>(&event);
    if (wanted == nullptr) fail(id, event);
    return *wanted;
  }
  [[noreturn]] static void fail(const std::string& id, const container_event& event);

  std::string folder_;
  containerizer_options options_;
  std::mutex mutex_;
  std::condition_variable heard_;
  std::map<std::string, std::vector<container_event>> events_;
  std::unique_ptr<containerizer> hands_;
};

/// The options of a containerizer whose runtime directory is `folder`/run.
containerizer_options lab_options(const std::string& folder, bool with_cgroups);

/// The group of the containerizer's tag.
std::string group_of(const containerizer_options& options, const std::string& controller);

/// Is there a process of this number, zombies apart?
bool process_runs(int pid);

/// Waits until there is none, as whoever reaps it may be a moment late.
bool await_gone(int pid);

}  // namespace troupe
