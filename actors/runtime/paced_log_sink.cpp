#include "actors/runtime/paced_log_sink.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace troupe {

paced_log_sink::paced_log_sink(int descriptor, std::chrono::milliseconds pause)
    : descriptor_(descriptor), pause_(pause) {
  // Signals are for the threads that wait for them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

paced_log_sink::~paced_log_sink() {
  {
    std::lock_guard<std::mutex> lock(pending_mutex_);
    stopping_ = true;
    more_.notify_one();
  }
  thread_.join();
  write_pending();
}

void paced_log_sink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  bool now = message.level >= spdlog::level::err;
  {
    std::lock_guard<std::mutex> lock(pending_mutex_);
    pending_.append(line.data(), line.size());
    ++lines_;
    now = now || pending_.size() > pending_bytes_max;
    if (!now && !resting_) more_.notify_one();
  }
  if (now) write_pending();
}

void paced_log_sink::flush_() {
  write_pending();
}

void paced_log_sink::run() {
  std::unique_lock<std::mutex> lock(pending_mutex_);
  while (!stopping_) {
    more_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
    lock.unlock();
    write_pending();
    lock.lock();
    resting_ = true;
    more_.wait_for(lock, pause_, [this] { return stopping_; });
    resting_ = false;
  }
}

void paced_log_sink::write_pending() {
  std::lock_guard<std::mutex> order(writing_);
  std::string text;
  std::uint64_t lines = 0;
  std::uint64_t lost = 0;
  {
    std::lock_guard<std::mutex> lock(pending_mutex_);
    text.swap(pending_);
    lines = std::exchange(lines_, 0);
    lost = std::exchange(lost_, 0);
  }
  if (text.empty() && lost == 0) return;
  if (lost > 0) text = "log.lost lines=" + std::to_string(lost) + "\n" + text;
  if (write_all(text)) return;
  std::lock_guard<std::mutex> lock(pending_mutex_);
  lost_ += lost + lines;
}

bool paced_log_sink::write_all(const std::string& text) const {
  for (std::size_t done = 0; done < text.size();) {
    const auto size = ::write(descriptor_, text.data() + done, text.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    done += static_cast<std::size_t>(size);
  }
  return true;
}

}  // namespace troupe
