#pragma once

#include "actors/runtime/moments.hpp"
#include "protocol/ids.hpp"
#include "troupe/internal/agent_state.pb.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace troupe {

/// The updates of one task that its scheduler has not acknowledged, oldest first. Only the head is sent; it is due
/// again after a pause that doubles with each sending and starts anew with each new head.
class status_stream {
 public:
  struct update {
    std::uint64_t number;  ///< in this task's stream; rises
    v1::TaskStatus status;
  };

  explicit status_stream(executor_id executor) : executor_(std::move(executor)) {}

  const executor_id& executor() const { return executor_; }
  bool empty() const { return updates_.empty(); }
  const std::deque<update>& updates() const { return updates_; }
  /// The oldest; requires that there is one.
  const v1::TaskStatus& head() const { return updates_.front().status; }
  /// Where the task is by now; requires that the stream is not empty.
  v1::TaskState latest() const { return updates_.back().status.state(); }

  /// Has this update been taken already? Certain for those that wait, and for the last 64 acknowledged ones.
  bool knows(const std::string& uuid) const;

  /// Returns the number that the update is recorded under.
  std::uint64_t append(v1::TaskStatus status);
  /// An update found in the store; numbers come in rising order.
  void recover(std::uint64_t number, v1::TaskStatus status);

  /// Takes the head off if that is its uuid, and returns its number; absent: nothing happened.
  std::optional<std::uint64_t> acknowledge(const std::string& uuid);

  /// The head has been sent.
  void sent(monotonic_time now, std::chrono::nanoseconds first_pause, std::chrono::nanoseconds longest_pause);
  /// There is nobody to send to: due again only once it is sent again.
  void rest();
  moment due() const { return retry_at_; }

  void save(internal::AgentState::Stream& out) const;
  static status_stream load(const internal::AgentState::Stream& in);

 private:
  executor_id executor_;
  std::deque<update> updates_;
  std::deque<std::string> acknowledged_;
  std::uint64_t next_number_ = 1;
  std::chrono::nanoseconds pause_{0};  // before the next sending of this head; 0: it has not been sent
  moment retry_at_;
};

}  // namespace troupe
