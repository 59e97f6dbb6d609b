#pragma once

#include "tools/emulator/delay_histogram.hpp"

#include <cstdint>
#include <mutex>

namespace troupe {

/// What the schedulers of a process have seen happen.
struct load_counts {
  std::uint64_t launched = 0;  ///< accepts of offers said, a task each
  std::uint64_t running = 0;   ///< TASK_RUNNING heard
  std::uint64_t finished = 0, failed = 0, killed = 0;
  std::uint64_t lost = 0;      ///< all other ends
  delay_histogram to_running;  ///< from the launch to hearing that it runs
  delay_histogram to_end;      ///< from the launch to hearing of its end, whose acknowledgement is said in that step
  delay_histogram from_wish;   ///< from the moment when it was wanted to hearing that it runs

  std::uint64_t ended() const { return finished + failed + killed + lost; }
};

/// Filled by all of them. Thread-safe.
class load_figures {
 public:
  template <class Change>
  void note(Change change) {
    std::lock_guard<std::mutex> lock(mutex_);
    change(counts_);
  }
  load_counts read() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return counts_;
  }
  /// From now on only what begins now counts in the delays; the counts go on.
  void forget_delays() {
    std::lock_guard<std::mutex> lock(mutex_);
    counts_.to_running = counts_.to_end = counts_.from_wish = {};
  }

 private:
  mutable std::mutex mutex_;
  load_counts counts_;
};

}  // namespace troupe
