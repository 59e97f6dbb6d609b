#include "actors/runtime/directory.hpp"

#include <mutex>

namespace troupe {

void directory::add_endpoint(const Address& at, endpoint deliver) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  endpoints_[at] = std::move(deliver);
}

void directory::remove(const Address& at) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  endpoints_.erase(at);
}

bool directory::knows(const Address& at) const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  return endpoints_.count(at) != 0;
}

void directory::clear() {
  std::map<Address, endpoint, address_less> doomed;  // destroyed outside the lock: a handle's end may call back
  std::unique_lock<std::shared_mutex> lock(mutex_);
  doomed.swap(endpoints_);
  lock.unlock();
}

bool directory::deliver(const head_ptr& head, const body_ptr& body, const std::shared_ptr<void>& credit) {
  {
    std::shared_lock<std::shared_mutex> lock(mutex_);
    auto it = endpoints_.find(head->to());
    if (it != endpoints_.end() && it->second(head, body, credit)) return true;
  }
  dropped_.fetch_add(1);
  return false;
}

}  // namespace troupe
