#pragma once

#include <spdlog/sinks/base_sink.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace troupe {

/// Writes log lines to a descriptor in groups: a thread of its own takes all that has come meanwhile, writes it at
/// once, and rests for `pause` before the next group. Whoever logs only appends to memory, so that an actor never waits
/// for the disk under its log; errors are written before the call returns, and so is everything once
/// `pending_bytes_max` wait. What a full disk does not take is dropped, and its lines are counted in the next that can
/// be written. A process that is killed loses the lines of its last pause at most.
class paced_log_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  static constexpr std::size_t pending_bytes_max = std::size_t{1} << 20;

  /// `descriptor` stays the caller's and must outlive this.
  explicit paced_log_sink(int descriptor, std::chrono::milliseconds pause = std::chrono::milliseconds(5));
  /// Writes what is left.
  ~paced_log_sink() override;

 private:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override;

  void run();
  void write_pending();
  bool write_all(const std::string& text) const;

  const int descriptor_;
  const std::chrono::milliseconds pause_;
  std::mutex writing_;  ///< held by the one who writes; taken before mutex_
  std::mutex pending_mutex_;
  std::condition_variable more_;
  std::string pending_;
  std::uint64_t lines_ = 0;  ///< in pending_
  std::uint64_t lost_ = 0;   ///< lines that could not be written, until that is told
  bool resting_ = false;     ///< the thread looks again by itself
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace troupe
