#include "tools/sim/timeline.hpp"

#include <algorithm>

namespace troupe::sim {

void timeline::at(duration moment, action what) {
  std::uint32_t place = 0;
  if (free_places_.empty()) {
    place = static_cast<std::uint32_t>(actions_.size());
    actions_.push_back(std::move(what));
  } else {
    place = free_places_.back();
    free_places_.pop_back();
    actions_[place] = std::move(what);
  }
  heap_.push_back({std::max(moment, now_), planned_++, place});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

bool timeline::run_one(duration until) {
  if (heap_.empty() || heap_.front().moment > until) {
    now_ = std::max(now_, until);
    return false;
  }
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const auto next = heap_.back();
  heap_.pop_back();
  auto what = std::move(actions_[next.place]);
  free_places_.push_back(next.place);
  now_ = next.moment;
  ++happened_;
  what();
  return true;
}

}  // namespace troupe::sim
