#include "tools/sim/disk.hpp"

#include <algorithm>
#include <utility>

namespace troupe::sim {

void disk::apply(const std::vector<edit>& edits) {
  for (const auto& e : edits) {
    if (e.record)
      records_[e.key] = *e.record;
    else
      records_.erase(e.key);
  }
}

void disk::commit(std::vector<edit> edits, done then) {
  waiting_.push_back({std::move(edits), std::move(then)});
  free_at_ = std::max(free_at_, time_.now()) + luck_.heavy_tailed(habits.sync, habits.sync_max);
  time_.at(free_at_, [this, life = life_] { finish(life); });
}

void disk::finish(std::uint64_t life) {
  if (life != life_ || waiting_.empty()) return;
  auto first = std::move(waiting_.front());
  waiting_.erase(waiting_.begin());
  if (!failed_ && !habits.full && !luck_.happens(habits.fails)) {
    apply(first.edits);
    return first.then(true);
  }
  // Nobody knows what became of it.
  if (!failed_ && !habits.full && luck_.happens(0.5)) apply(first.edits);
  failed_ = true;
  first.then(false);
}

void disk::hang(timeline::duration lasts) {
  free_at_ = std::max(free_at_, time_.now()) + lasts;
}

void disk::crash() {
  ++life_;
  free_at_ = timeline::duration(0);
  const auto arrived = failed_ || habits.full ? 0 : luck_.below(waiting_.size() + 1);
  for (std::size_t i = 0; i < arrived; ++i) apply(waiting_[i].edits);
  waiting_.clear();
}

bool disk::commit_now(const std::vector<edit>& edits) {
  if (habits.full) return false;
  apply(edits);
  return true;
}

}  // namespace troupe::sim
