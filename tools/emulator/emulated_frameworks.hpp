#pragma once

#include "tools/emulator/emulation.hpp"
#include "tools/emulator/load_figures.hpp"
#include "tools/emulator/load_scheduler.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace troupe {

struct emulated_frameworks_options {
  std::size_t count = 0;
  load_wish each;          ///< the name gets a number
  std::size_t in_all = 0;  ///< tasks of all together, then they end; 0: they go on
  double per_second = 0;   ///< of all together; 0: not by the clock
};

/// Frameworks with the SDK's scheduler core, each with a link of its own.
class emulated_frameworks {
 public:
  emulated_frameworks(emulation& home, emulated_frameworks_options options);
  /// Hangs up, and ends all actors of the emulation.
  ~emulated_frameworks();
  emulated_frameworks(const emulated_frameworks&) = delete;
  emulated_frameworks& operator=(const emulated_frameworks&) = delete;

  /// Errors: those of the journal.
  result<void> start();
  /// All tear themselves down, and their tasks with them; returns when they have said so, or after `patience`.
  void finish(std::chrono::nanoseconds patience);
  /// Those that have ended: torn down, or refused.
  std::size_t ended() const { return ended_; }
  std::size_t refused() const { return refused_; }

  load_figures& figures() { return *figures_; }

 private:
  result<void> start_one(std::size_t index);
  load_wish wish_of(std::size_t index) const;

  emulation& home_;
  const emulated_frameworks_options options_;
  std::shared_ptr<load_figures> figures_ = std::make_shared<load_figures>();
  std::vector<std::unique_ptr<emulated_peer>> peers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::size_t> ended_{0}, refused_{0};
};

}  // namespace troupe
