#pragma once

#include "actors/agent/agent_options.hpp"
#include "tools/emulator/emulated_containerizer.hpp"
#include "tools/emulator/emulation.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {

struct emulated_agents_options {
  std::size_t count = 0;
  agent_options agent;  ///< of each; the host's name gets a number
  task_length length;
  std::uint64_t seed = 1;
  /// So many at most are on their way to being registered at once.
  std::size_t at_once = 256;
};

/// Agents with their built-in executors, real but for their containerizers.
class emulated_agents {
 public:
  emulated_agents(emulation& home, emulated_agents_options options);
  /// Hangs up, and ends all actors of the emulation.
  ~emulated_agents();
  emulated_agents(const emulated_agents&) = delete;
  emulated_agents& operator=(const emulated_agents&) = delete;

  /// Starts them, a few at once, until all are registered or `goes_on` says no; asked now and again. Errors: those of
  /// the journal.
  result<void> start(const std::function<bool()>& goes_on);

  /// All leave the cluster for good; returns when they have, or after `patience`.
  void leave(std::chrono::nanoseconds patience);

  std::size_t registered() const { return registered_; }
  std::size_t dismissed() const { return dismissed_; }
  container_figures::counts containers() const { return figures_->read(); }

 private:
  result<void> start_one(std::size_t index);
  void on_event(std::size_t index, const internal::ProgramEvent& event);
  void wait_until(const std::function<bool()>& holds, std::chrono::nanoseconds most);

  emulation& home_;
  const emulated_agents_options options_;
  std::shared_ptr<container_figures> figures_ = std::make_shared<container_figures>();
  std::vector<std::unique_ptr<emulated_peer>> peers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> admitted_;  ///< by index
  std::atomic<std::size_t> registered_{0}, dismissed_{0}, left_{0};
};

}  // namespace troupe
