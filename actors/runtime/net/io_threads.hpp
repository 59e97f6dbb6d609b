#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <thread>
#include <vector>

namespace troupe {

/// The threads on which sockets are read and written; nothing that runs on them may block. Servers, connectors and
/// links that were made with it must be stopped before it: what they would still have said after `stop` is never said.
class io_threads {
 public:
  /// `nice` as of nice(2): how much the threads leave the processor to others of this process and of all.
  explicit io_threads(unsigned threads = 1, int nice = 0);
  ~io_threads();
  io_threads(const io_threads&) = delete;
  io_threads& operator=(const io_threads&) = delete;

  boost::asio::io_context& context() { return context_; }

  /// Runs `work` on one of the threads.
  void post(std::function<void()> work);

  /// Ends the threads after what they are doing now. Idempotent; not to be called from one of them.
  void stop();

 private:
  void run();

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
};

}  // namespace troupe
