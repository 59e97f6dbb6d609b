#include "protocol/interval_set.hpp"

#include <algorithm>
#include <iterator>

namespace troupe {
namespace {

bool starts_before(const interval& a, const interval& b) {
  return a.begin < b.begin;
}

/// Merges neighbours of a list sorted by begin wherever they overlap or touch.
void coalesce(std::vector<interval>* sorted) {
  std::size_t last = 0;
  for (std::size_t i = 1; i < sorted->size(); ++i) {
    interval& open = (*sorted)[last];
    const interval next = (*sorted)[i];
    if (next.begin <= open.end + 1)
      open.end = std::max(open.end, next.end);
    else
      (*sorted)[++last] = next;
  }
  if (!sorted->empty()) sorted->resize(last + 1);
}

}  // namespace

interval_set::interval_set(std::vector<interval> intervals) : intervals_(std::move(intervals)) {
  std::sort(intervals_.begin(), intervals_.end(), starts_before);
  coalesce(&intervals_);
}

std::uint64_t interval_set::count() const {
  std::uint64_t total = 0;
  for (const auto& i : intervals_) total += i.end - i.begin + 1;
  return total;
}

bool interval_set::contains(const interval_set& other) const {
  auto mine = intervals_.begin();
  for (const auto& theirs : other.intervals_) {
    while (mine != intervals_.end() && mine->end < theirs.begin) ++mine;
    if (mine == intervals_.end() || mine->begin > theirs.begin || mine->end < theirs.end) return false;
  }
  return true;
}

bool interval_set::overlaps(const interval_set& other) const {
  auto a = intervals_.begin();
  auto b = other.intervals_.begin();
  while (a != intervals_.end() && b != other.intervals_.end()) {
    if (a->end < b->begin)
      ++a;
    else if (b->end < a->begin)
      ++b;
    else
      return true;
  }
  return false;
}

interval_set interval_set::unite(const interval_set& other) const {
  interval_set out;
  out.intervals_.reserve(intervals_.size() + other.intervals_.size());
  std::merge(intervals_.begin(), intervals_.end(), other.intervals_.begin(), other.intervals_.end(),
             std::back_inserter(out.intervals_), starts_before);
  coalesce(&out.intervals_);
  return out;
}

interval_set interval_set::subtract(const interval_set& other) const {
  interval_set out;
  auto cut = other.intervals_.begin();
  for (interval left : intervals_) {
    while (cut != other.intervals_.end() && cut->end < left.begin) ++cut;
    bool something_left = true;
    // A cut that reaches past this interval may reach into the next one too, so it is not passed over here.
    for (auto c = cut; something_left && c != other.intervals_.end() && c->begin <= left.end; ++c) {
      if (c->begin > left.begin) out.intervals_.push_back({left.begin, c->begin - 1});
      something_left = c->end < left.end;
      if (something_left) left.begin = c->end + 1;
      cut = c;
    }
    if (something_left) out.intervals_.push_back(left);
  }
  return out;
}

interval_set interval_set::intersect(const interval_set& other) const {
  interval_set out;
  auto a = intervals_.begin();
  auto b = other.intervals_.begin();
  while (a != intervals_.end() && b != other.intervals_.end()) {
    const auto begin = std::max(a->begin, b->begin);
    const auto end = std::min(a->end, b->end);
    if (begin <= end) out.intervals_.push_back({begin, end});
    a->end < b->end ? static_cast<void>(++a) : static_cast<void>(++b);
  }
  return out;
}

bool interval_set::normal() const {
  for (std::size_t i = 0; i < intervals_.size(); ++i) {
    if (intervals_[i].begin > intervals_[i].end) return false;
    if (i > 0 && intervals_[i].begin <= intervals_[i - 1].end + 1) return false;
  }
  return true;
}

}  // namespace troupe
