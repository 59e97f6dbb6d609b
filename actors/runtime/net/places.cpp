#include "actors/runtime/net/places.hpp"

#include <utility>
#include <vector>

namespace troupe {

struct connection_places::place final : connection_place {
  place(std::shared_ptr<connection_places> of, id which) : places(std::move(of)), which(which) {}
  ~place() override { places->give_back(which); }
  void held_by(std::shared_ptr<void> keep, std::function<void()> stop) override {
    places->hold(which, std::move(keep), std::move(stop));
  }
  void waits() override { places->change(which, &connection_places::begin_waiting); }
  void is_served() override { places->change(which, &connection_places::make_served); }
  void is_link() override { places->change(which, &connection_places::make_link); }

  std::shared_ptr<connection_places> places;
  id which;
};

connection_places::connection_places(place_limits limits, std::atomic<std::uint64_t>& open,
                                     std::function<void(const peer_address&)> given_way)
    : limits_(limits), open_(open), given_way_(std::move(given_way)) {}

connection_places::taken connection_places::take(const peer_address& peer) {
  taken answer;
  std::function<void()> stop;
  std::optional<peer_address> gone;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return answer;
    auto& of = sources_[peer.source()];
    const bool source_full = of.count >= limits_.of_source;
    if (source_full || entries_.size() - leaving_ >= limits_.all) {
      const auto& waiting = source_full ? of.waiting : waiting_;
      if (!stands_in_line(waiting)) {
        if (of.count == 0) sources_.erase(peer.source());
        answer.cause = source_full ? refusal::too_many_of_source : refusal::too_many;
        return answer;
      }
      gone = entries_.at(waiting.front()).peer;
      stop = send_away(waiting);
    }
    auto& made = entries_[++last_];
    made.peer = peer;
    ++sources_[peer.source()].count;
    begin_waiting(last_, made);
    open_.store(entries_.size());
    answer.place = std::make_shared<place>(shared_from_this(), last_);
  }
  if (stop) stop();
  if (gone) given_way_(*gone);
  return answer;
}

bool connection_places::stands_in_line(const std::list<id>& waiting) const {
  return !waiting.empty() && clock::now() - entries_.at(waiting.front()).waiting->since >= limits_.patience;
}

std::function<void()> connection_places::send_away(const std::list<id>& waiting) {
  auto& first = entries_.at(waiting.front());
  end_waiting(first);
  leave_source(first);
  first.leaves = true;
  ++leaving_;
  return first.stop;
}

void connection_places::begin_waiting(id which, entry& of) {
  if (of.waiting || of.leaves || !of.counts_for_source) return;
  auto& among_source = sources_.at(of.peer.source()).waiting;
  of.waiting = waiting_mark{waiting_.insert(waiting_.end(), which), among_source.insert(among_source.end(), which),
                            clock::now()};
}

void connection_places::end_waiting(entry& of) {
  if (!of.waiting) return;
  waiting_.erase(of.waiting->among_all);
  sources_.at(of.peer.source()).waiting.erase(of.waiting->among_source);
  of.waiting.reset();
}

void connection_places::leave_source(entry& of) {
  if (!std::exchange(of.counts_for_source, false)) return;
  const auto at = sources_.find(of.peer.source());
  if (--at->second.count == 0) sources_.erase(at);
}

void connection_places::make_link(id, entry& of) {
  end_waiting(of);
  leave_source(of);
}

void connection_places::change(id which, void (connection_places::*how)(id, entry&)) {
  std::lock_guard<std::mutex> lock(mutex_);
  (this->*how)(which, entries_.at(which));
}

void connection_places::hold(id which, std::shared_ptr<void> keep, std::function<void()> stop) {
  bool stop_now = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto& at = entries_.at(which);
    std::swap(at.keep, keep);  // what was kept before ends after the lock is released
    at.stop = stop;
    stop_now = stopping_ || at.leaves;
  }
  if (stop_now) stop();
}

void connection_places::give_back(id which) {
  std::shared_ptr<void> keep;  // ends after the lock is released
  std::function<void()> stop;
  std::lock_guard<std::mutex> lock(mutex_);
  const auto it = entries_.find(which);
  keep = std::move(it->second.keep);
  stop = std::move(it->second.stop);
  end_waiting(it->second);
  leave_source(it->second);
  if (it->second.leaves) --leaving_;
  entries_.erase(it);
  open_.store(entries_.size());
  changed_.notify_all();
}

void connection_places::stop() {
  std::vector<std::function<void()>> stops;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    for (const auto& [which, held] : entries_) {
      if (held.stop) stops.push_back(held.stop);
    }
  }
  for (auto& call : stops) call();
  stops.clear();
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return entries_.empty(); });
}

}  // namespace troupe
