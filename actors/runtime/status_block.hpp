#pragma once

#include "protocol/address.hpp"

#include <caf/actor_addr.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
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

  /// Whose status it is now; an actor that is started again takes the block of the one before.
  void belongs_to(caf::actor_addr owner) {
    std::lock_guard<std::mutex> lock(owner_mutex_);
    owner_ = std::move(owner);
  }
  caf::actor_addr owner() const {
    std::lock_guard<std::mutex> lock(owner_mutex_);
    return owner_;
  }

  std::uint64_t depth() const {
    // Read in this order: a message handled between the two reads makes the depth look larger, never negative.
    auto done = handled.load();
    auto all = sent.load();
    return all - done;
  }

 private:
  mutable std::mutex owner_mutex_;
  caf::actor_addr owner_;
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
