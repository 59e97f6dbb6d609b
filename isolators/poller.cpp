#include "isolators/poller.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace troupe {
namespace {

constexpr poller::watch_id waker = 0;
constexpr int batch = 64;

}  // namespace

poller::poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = waker;
  if (!epoll_ || !wake_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    throw std::runtime_error("cannot make the descriptors of a poller: is the limit of open files reached?");
  }
  thread_ = std::thread([this] { run(); });
}

poller::~poller() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
}

void poller::wake() {
  std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

poller::watch_id poller::watch(int fd, action then) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto id = ++last_id_;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return 0;
  watches_[id] = {fd, std::move(then)};
  return id;
}

void poller::forget(watch_id id) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto it = watches_.find(id);
  if (it == watches_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, it->second.fd, nullptr);
  watches_.erase(it);
}

void poller::after(std::chrono::milliseconds delay, action then) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    moments_.emplace(clock::now() + delay, std::move(then));
  }
  wake();
}

int poller::wait_ms() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (moments_.empty()) return -1;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(moments_.begin()->first - clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void poller::run_due() {
  for (;;) {
    action then;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_ || moments_.empty() || moments_.begin()->first > clock::now()) return;
      then = std::move(moments_.begin()->second);
      moments_.erase(moments_.begin());
    }
    then();
  }
}

void poller::run_watch(watch_id id) {
  action then;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = watches_.find(id);
    if (stopping_ || it == watches_.end()) return;
    then = it->second.then;
  }
  then();
}

void poller::run() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::vector<epoll_event> events(batch);
  for (;;) {
    int count = ::epoll_wait(epoll_.get(), events.data(), batch, wait_ms());
    for (int i = 0; i < count; ++i) {
      auto id = events[static_cast<std::size_t>(i)].data.u64;
      if (id == waker) {
        std::uint64_t drained;
        (void)!::read(wake_.get(), &drained, sizeof drained);
      } else {
        run_watch(id);
      }
    }
    run_due();
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return;
  }
}

}  // namespace troupe
