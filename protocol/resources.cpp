#include "protocol/resources.hpp"

#include "protocol/quoting.hpp"
#include "protocol/resource_format.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace troupe {
namespace {

using entry_list = std::vector<resource_entry>;

bool ordered(const resource_entry& a, const resource_entry& b) {
  return compare(a, b) < 0;
}

void merge_into(resource_entry* into, const resource_entry& other) {
  if (!into->kind->indivisible) return into->amount.add(other.amount);
  if (__builtin_add_overflow(into->copies, other.copies, &into->copies))
    throw std::overflow_error("a count of equal resources exceeds 64 bits");
}

/// What is left of `from` after a part of it; requires that `part` is one.
void take_from(resource_entry* from, const resource_entry& part) {
  if (from->kind->indivisible)
    from->copies -= part.copies;
  else
    from->amount.subtract(part.amount);
}

bool holds(const resource_entry& whole, const resource_entry& part) {
  return whole.kind->indivisible ? whole.copies >= part.copies : whole.amount.contains(part.amount);
}

bool vanished(const resource_entry& e) {
  return e.copies == 0 || e.amount.empty();
}

/// Calls both(x, y) for every pair of entries that belong together, in order, as long as it returns true.
template <class Both>
void for_each_pair(const entry_list& a, const entry_list& b, Both both) {
  auto x = a.begin();
  auto y = b.begin();
  while (x != a.end() && y != b.end()) {
    const int order = compare(*x, *y);
    if (order < 0) {
      ++x;
    } else if (order > 0) {
      ++y;
    } else if (!both(*x++, *y++)) {
      return;
    }
  }
}

/// Equality of entries that sort alike.
bool same(const resource_entry& a, const resource_entry& b) {
  return compare(a, b) == 0 && a.copies == b.copies && a.amount == b.amount;
}

/// One name, one type, and no more than the limit: entries are sorted, so a name's are neighbours.
result<void> check_totals(const entry_list& sorted) {
  milli total = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& kind = *sorted[i].kind;
    const bool same_name = i > 0 && sorted[i - 1].kind->name == kind.name;
    if (same_name && sorted[i - 1].kind->type != kind.type)
      return invalid("resource " + quoted(kind.name) + " must have one type, not " +
                     v1::Value::Type_Name(sorted[i - 1].kind->type) + " and " + v1::Value::Type_Name(kind.type));
    total = checked_sum(same_name ? total : 0, sorted[i].quantity());
    if (total > largest_amount) return invalid("resource " + quoted(kind.name) + " must be at most 1e12 in all");
  }
  return {};
}

}  // namespace

// --- making
// --------------------------------------------------------------------------------------------------------------

resources resources::normalised(entry_list list) {
  list.erase(std::remove_if(list.begin(), list.end(), vanished), list.end());
  std::stable_sort(list.begin(), list.end(), ordered);
  resources out;
  for (auto& e : list) {
    if (!out.entries_.empty() && compare(out.entries_.back(), e) == 0)
      merge_into(&out.entries_.back(), e);
    else
      out.entries_.push_back(std::move(e));
  }
  return out;
}

result<resources> resources::from(const proto_list& list) {
  entry_list read;
  read.reserve(static_cast<std::size_t>(list.size()));
  for (int i = 0; i < list.size(); ++i) {
    auto entry = entry_from(list.Get(i));
    if (!entry) return invalid("resources[" + std::to_string(i) + "]: " + entry.error().message);
    read.push_back(std::move(*entry));
  }
  try {
    auto all = normalised(std::move(read));
    if (auto ok = check_totals(all.entries_); !ok) return ok.error();
    return all;
  } catch (const std::overflow_error& e) {
    return invalid(std::string("resources: ") + e.what());
  }
}

result<resources> resources::from(const v1::Resource& one) {
  auto entry = entry_from(one);
  if (!entry) return entry.error();
  return normalised({std::move(*entry)});
}

resources::proto_list resources::proto() const {
  proto_list list;
  add_to(&list);
  return list;
}

void resources::add_to(proto_list* list) const {
  for (const auto& e : entries_)
    for (std::uint64_t i = 0; i < e.copies; ++i) *list->Add() = e.proto();
}

result<resources::proto_list> resources::to_pre_refinement_form() const {
  proto_list list;
  for (const auto& e : entries_) {
    auto old = troupe::to_pre_refinement_form(e.proto());
    if (!old) return old.error();
    for (std::uint64_t i = 0; i < e.copies; ++i) *list.Add() = *old;
  }
  return list;
}

// --- algebra
// -------------------------------------------------------------------------------------------------------------

bool operator==(const resources& a, const resources& b) {
  return std::equal(a.entries_.begin(), a.entries_.end(), b.entries_.begin(), b.entries_.end(), same);
}

bool resources::contains(const resources& other) const {
  std::size_t found = 0;
  bool held = true;
  for_each_pair(entries_, other.entries_, [&](const auto& whole, const auto& part) {
    ++found;
    return held = holds(whole, part);
  });
  return held && found == other.entries_.size();
}

bool resources::overlaps(const resources& other) const {
  bool found = false;
  for_each_pair(entries_, other.entries_, [&](const auto& a, const auto& b) {
    found = a.amount.overlaps(b.amount);
    return !found;
  });
  return found;
}

resources& resources::operator+=(const resources& other) {
  if (other.empty()) return *this;
  if (empty()) return *this = other;
  // Into a new list, so that an overflow leaves this as it was, and so that a += a is right.
  entry_list sum;
  sum.reserve(entries_.size() + other.entries_.size());
  auto x = entries_.begin();
  for (const auto& y : other.entries_) {
    while (x != entries_.end() && compare(*x, y) < 0) sum.push_back(*x++);
    if (x != entries_.end() && compare(*x, y) == 0) {
      sum.push_back(*x++);
      merge_into(&sum.back(), y);
    } else {
      sum.push_back(y);
    }
  }
  sum.insert(sum.end(), x, entries_.end());
  entries_ = std::move(sum);
  return *this;
}

resources& resources::operator-=(const resources& other) {
  if (!contains(other)) throw std::logic_error("cannot take " + other.text() + " out of " + text());
  if (&other == this) {
    entries_.clear();
    return *this;
  }
  auto x = entries_.begin();
  for (const auto& y : other.entries_) {
    while (compare(*x, y) < 0) ++x;
    take_from(&*x++, y);
  }
  entries_.erase(std::remove_if(entries_.begin(), entries_.end(), vanished), entries_.end());
  return *this;
}

resources resources::intersect(const resources& other) const {
  resources out;
  for_each_pair(entries_, other.entries_, [&](const auto& a, const auto& b) {
    auto both = a;
    if (a.kind->indivisible)
      both.copies = std::min(a.copies, b.copies);
    else
      both.amount = a.amount.intersect(b.amount);
    if (!vanished(both)) out.entries_.push_back(std::move(both));
    return true;
  });
  return out;
}

result<resources> apply(const resource_conversion& conversion, const resources& pool) {
  if (pool.contains(conversion.consumed)) return pool - conversion.consumed + conversion.converted;
  const auto missing = conversion.consumed - conversion.consumed.intersect(pool);
  return error{errc::conflict, "resources " + missing.text() + " are not there; present are " + pool.text()};
}

// --- amounts
// -------------------------------------------------------------------------------------------------------------

milli resources::scalar(std::string_view name) const {
  milli total = 0;
  for (const auto& e : entries_)
    if (e.kind->type == v1::Value::SCALAR && e.kind->name == name) total = checked_sum(total, e.quantity());
  return total;
}

quantities resources::amounts() const {
  quantities out;
  for (const auto& e : entries_) {
    auto& total = out[e.kind->name];
    total = checked_sum(total, e.quantity());
  }
  return out;
}

std::vector<std::string> resources::names() const {
  std::vector<std::string> out;
  for (const auto& e : entries_)
    if (out.empty() || out.back() != e.kind->name) out.push_back(e.kind->name);
  return out;
}

std::optional<resources> resources::find_scalars(const quantities& want) const {
  auto missing = want;
  resources found;
  for (const auto& e : entries_) {
    const auto& kind = *e.kind;
    if (kind.type != v1::Value::SCALAR || !kind.identity.empty()) continue;
    const auto wanted = missing.find(kind.name);
    if (wanted == missing.end() || wanted->second <= 0) continue;
    auto part = e;
    part.amount = resource_amount(std::min(wanted->second, e.amount.thousandths()));
    wanted->second -= part.amount.thousandths();
    found.entries_.push_back(std::move(part));
  }
  const auto satisfied = [](const auto& name_and_amount) { return name_and_amount.second <= 0; };
  if (!std::all_of(missing.begin(), missing.end(), satisfied)) return std::nullopt;
  return found;
}

// --- invariants
// ----------------------------------------------------------------------------------------------------------

void resources::check_invariants() const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& e = entries_[i];
    const auto require = [&](bool holds, const char* rule) {
      if (!holds) throw std::logic_error("resource " + quoted(e.kind->name) + " " + rule + ": " + text());
    };
    require(e.amount.normal(), "is empty, negative or not coalesced");
    require(e.amount.type() == e.kind->type, "has an amount that is not of its type");
    require(e.copies > 0, "has no copies");
    require(e.copies == 1 || e.kind->indivisible, "is counted although it can be added");
    require(i == 0 || compare(entries_[i - 1], e) < 0, "is out of order or was not merged");
    require(compare(*share(*e.kind), *e.kind) == 0, "has an identity that is not its own");
  }
}

}  // namespace troupe
