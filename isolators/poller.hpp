#pragma once

#include "actors/runtime/file_descriptor.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace troupe {

/// One thread that waits for descriptors to become readable and for moments to come, and runs what is to be done then,
/// one action at a time. Thread-safe; actions may call it.
class poller {
 public:
  using action = std::function<void()>;
  using watch_id = std::uint64_t;

  poller();
  /// Waits for a running action; what is still to come is dropped.
  ~poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  /// Runs `then` whenever `fd` is readable or at its end, until `forget`. The descriptor must stay open that long. 0:
  /// not possible.
  watch_id watch(int fd, action then);
  /// Before the descriptor is closed. Once this returns in the poller's own thread, the action does not run again.
  void forget(watch_id id);

  void after(std::chrono::milliseconds delay, action then);

 private:
  using clock = std::chrono::steady_clock;
  struct watched {
    int fd;
    action then;
  };

  void run();
  int wait_ms();
  void run_due();
  void run_watch(watch_id id);
  void wake();

  std::mutex mutex_;
  std::map<watch_id, watched> watches_;
  std::multimap<clock::time_point, action> moments_;
  watch_id last_id_ = 0;
  bool stopping_ = false;
  file_descriptor epoll_;
  file_descriptor wake_;
  std::thread thread_;
};

}  // namespace troupe
