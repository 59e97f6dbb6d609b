#include "tools/sim/timeline.hpp"

#include <algorithm>

namespace troupe::sim {

void timeline::at(duration moment, action what) {
  heap_.push_back({std::max(moment, now_), planned_++, std::move(what)});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

bool timeline::run_one(duration until) {
  if (heap_.empty() || heap_.front().moment > until) {
    now_ = std::max(now_, until);
    return false;
  }
  std::pop_heap(heap_.begin(), heap_.end(), later);
  auto next = std::move(heap_.back());
  heap_.pop_back();
  now_ = next.moment;
  ++happened_;
  next.what();
  return true;
}

}  // namespace troupe::sim
