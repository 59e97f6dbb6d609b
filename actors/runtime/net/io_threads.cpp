#include "actors/runtime/net/io_threads.hpp"

#include <boost/asio/post.hpp>

#include <sys/resource.h>

#include <exception>

namespace troupe {

io_threads::io_threads(unsigned threads, int nice) : work_(boost::asio::make_work_guard(context_)) {
  for (unsigned i = 0; i < (threads == 0 ? 1 : threads); ++i) {
    threads_.emplace_back([this, nice] {
      // Linux does that to the calling thread; where it is not allowed, nothing is lost.
      if (nice != 0) (void)::setpriority(PRIO_PROCESS, 0, nice);
      run();
    });
  }
}

io_threads::~io_threads() {
  stop();
}

void io_threads::stop() {
  work_.reset();
  context_.stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void io_threads::post(std::function<void()> work) {
  boost::asio::post(context_, std::move(work));
}

void io_threads::run() {
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception&) {
      // One connection's memory ran out, say. Its handler is gone and with it the connection; the others go on.
    }
  }
}

}  // namespace troupe
