#include "protocol/resource_amount.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <stdexcept>

namespace troupe {

milli checked_sum(milli a, milli b) {
  milli sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) throw std::overflow_error("a sum of resources exceeds 64 bits");
  return sum;
}

resource_amount::resource_amount(items set) : value_(std::move(set)) {
  auto& sorted = std::get<items>(value_);
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
}

bool resource_amount::empty() const {
  switch (value_.index()) {
    case 0:
      return thousandths() == 0;
    case 1:
      return ranges().empty();
    default:
      return set().empty();
  }
}

milli resource_amount::quantity() const {
  switch (value_.index()) {
    case 0:
      return thousandths();
    case 1:
      return static_cast<milli>(ranges().count()) * 1000;
    default:
      return static_cast<milli>(set().size()) * 1000;
  }
}

bool resource_amount::contains(const resource_amount& other) const {
  switch (value_.index()) {
    case 0:
      return thousandths() >= other.thousandths();
    case 1:
      return ranges().contains(other.ranges());
    default:
      return std::includes(set().begin(), set().end(), other.set().begin(), other.set().end());
  }
}

bool resource_amount::overlaps(const resource_amount& other) const {
  switch (value_.index()) {
    case 0:
      return false;
    case 1:
      return ranges().overlaps(other.ranges());
    default:
      return !intersect(other).empty();
  }
}

void resource_amount::add(const resource_amount& other) {
  switch (value_.index()) {
    case 0:
      value_ = checked_sum(thousandths(), other.thousandths());
      return;
    case 1:
      value_ = ranges().unite(other.ranges());
      return;
    default: {
      items sum;
      std::set_union(set().begin(), set().end(), other.set().begin(), other.set().end(), std::back_inserter(sum));
      value_ = std::move(sum);
    }
  }
}

void resource_amount::subtract(const resource_amount& other) {
  switch (value_.index()) {
    case 0:
      value_ = thousandths() - other.thousandths();
      return;
    case 1:
      value_ = ranges().subtract(other.ranges());
      return;
    default: {
      items rest;
      std::set_difference(set().begin(), set().end(), other.set().begin(), other.set().end(), std::back_inserter(rest));
      value_ = std::move(rest);
    }
  }
}

resource_amount resource_amount::intersect(const resource_amount& other) const {
  switch (value_.index()) {
    case 0:
      return resource_amount(std::min(thousandths(), other.thousandths()));
    case 1:
      return resource_amount(ranges().intersect(other.ranges()));
    default: {
      items both;
      std::set_intersection(set().begin(), set().end(), other.set().begin(), other.set().end(),
                            std::back_inserter(both));
      return resource_amount(std::move(both));
    }
  }
}

bool resource_amount::normal() const {
  if (empty()) return false;
  switch (value_.index()) {
    case 0:
      return thousandths() > 0;
    case 1:
      return ranges().normal();
    default:
      return std::adjacent_find(set().begin(), set().end(), std::greater_equal<>()) == set().end();
  }
}

}  // namespace troupe
