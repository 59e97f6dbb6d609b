#pragma once

#include "protocol/address.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// What one actor is doing, readable from any thread even while the actor is stuck. The directory counts what is sent
/// to it, its shell counts what it handled.
struct status_block {
  explicit status_block(std::string name) : name(std::move(name)) {}

  const std::string name;  ///< the actor's address as text
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> handled{0};
  std::atomic<std::int64_t> busy_since_ns{0};  ///< monotonic; 0 while idle
  std::atomic<std::uint32_t> last_verb{0};
  std::atomic<std::uint64_t> incarnation{0};
  std::atomic<std::uint64_t> restarts{0};

  /// How the actor is made to fail: whoever is started again, and takes the block of the one before, says it anew.
  void fails_by(std::function<void()> fail) {
    std::lock_guard<std::mutex> lock(fail_mutex_);
    fail_ = std::move(fail);
  }
  /// Ends the actor as if it had failed, for its supervisor to start it again. False: nobody has said how.
  bool fail() const {
    std::lock_guard<std::mutex> lock(fail_mutex_);
    if (fail_) fail_();
    return bool(fail_);
  }
  /// The actor is to throw while it handles its next letter, halfway: what it changed and has not said is lost.
  void fail_by_exception() const { throws_.store(true, std::memory_order_relaxed); }
  /// Not yet thrown.
  bool is_to_throw() const { return throws_.load(std::memory_order_relaxed); }
  /// For whoever handles letters, in the midst of it.
  void throw_if_asked() const {
    if (throws_.load(std::memory_order_relaxed) && throws_.exchange(false))
      throw std::runtime_error(name + " was asked to throw");
  }

  std::uint64_t depth() const {
    // Read in this order: a message handled between the two reads makes the depth look larger, never negative.
    auto done = handled.load();
    auto all = sent.load();
    return all - done;
  }

 private:
  mutable std::atomic<bool> throws_{false};
  mutable std::mutex fail_mutex_;
  std::function<void()> fail_;
};

/// Every actor of the process, by name. Thread-safe.
class status_board {
 public:
  std::shared_ptr<status_block> of(const std::string& name) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto& block = blocks_[name];
    if (!block) block = std::make_shared<status_block>(name);
    return block;
  }
  void forget(const std::string& name) {
    std::lock_guard<std::mutex> lock(mutex_);
    blocks_.erase(name);
  }
  std::vector<std::shared_ptr<const status_block>> all() const {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::shared_ptr<const status_block>> list;
    for (const auto& [name, block] : blocks_) list.push_back(block);
    return list;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<status_block>> blocks_;
};

}  // namespace troupe
