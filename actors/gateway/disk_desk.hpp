#pragma once

#include "actors/runtime/net/io_threads.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace troupe {

/// Threads that may wait for the disk, and how many requests may have them read at once: a slow disk holds up files,
/// and nothing else. Thread-safe.
class disk_desk {
 public:
  struct limits {
    unsigned threads = 2;
    std::size_t places = 256;  ///< requests, downloads under way included; each may hold a descriptor
  };
  disk_desk() : disk_desk(limits()) {}
  explicit disk_desk(limits chosen)
      : places_(std::make_shared<counts>()), max_(chosen.places), threads_(chosen.threads) {}

  /// A place among those for whom the disk is read, until its last copy is gone; null: all are taken, which counts as
  /// refused.
  std::shared_ptr<void> take_place() {
    if (places_->taken.fetch_add(1) >= max_) {
      places_->taken.fetch_sub(1);
      places_->refused.fetch_add(1);
      return nullptr;
    }
    return std::shared_ptr<void>(this, [counted = places_](void*) { counted->taken.fetch_sub(1); });
  }

  /// Runs `work` on one of the threads, after what was posted before.
  void post(std::function<void()> work) { threads_.post(std::move(work)); }

  std::size_t taken() const { return places_->taken.load(); }
  std::uint64_t refused() const { return places_->refused.load(); }

  /// Ends the threads after what they are at now; what waits is never done. Idempotent.
  void stop() { threads_.stop(); }

 private:
  struct counts {
    std::atomic<std::size_t> taken{0};
    std::atomic<std::uint64_t> refused{0};
  };
  const std::shared_ptr<counts> places_;  ///< outlives the desk, as places may
  const std::size_t max_;
  io_threads threads_;
};

}  // namespace troupe
