#include "actors/runtime/directory.hpp"

#include <mutex>

namespace troupe {

void directory::add_endpoint(const Address& at, endpoint deliver) {
  auto added = std::make_shared<const endpoint>(std::move(deliver));
  std::unique_lock<std::shared_mutex> lock(mutex_);
  endpoints_[at].swap(added);  // whoever had it before is destroyed after the lock
}

void directory::remove(const Address& at) {
  std::shared_ptr<const endpoint> removed;
  std::unique_lock<std::shared_mutex> lock(mutex_);
  auto it = endpoints_.find(at);
  if (it == endpoints_.end()) return;
  removed = std::move(it->second);
  endpoints_.erase(it);
  lock.unlock();
}

bool directory::knows(const Address& at) const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  return endpoints_.count(at) != 0;
}

void directory::clear() {
  std::map<Address, std::shared_ptr<const endpoint>, address_less>
      doomed;  // destroyed outside the lock: a handle's end may call back
  std::unique_lock<std::shared_mutex> lock(mutex_);
  doomed.swap(endpoints_);
  lock.unlock();
}

bool directory::deliver(const head_ptr& head, const body_ptr& body, const std::shared_ptr<void>& credit) {
  std::shared_ptr<const endpoint> receiver;
  {
    std::shared_lock<std::shared_mutex> lock(mutex_);
    auto it = endpoints_.find(head->to());
    if (it != endpoints_.end()) receiver = it->second;
  }
  if (receiver && (*receiver)(head, body, credit)) return true;
  dropped_.fetch_add(1);
  return false;
}

}  // namespace troupe
