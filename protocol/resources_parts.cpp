#include "protocol/quoting.hpp"
#include "protocol/resource_format.hpp"
#include "protocol/resources.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <iterator>

namespace troupe {

/// Entries keep their order, so what is left is normal.
template <class Predicate>
resources resources::where(Predicate keep) const {
  resources out;
  std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(out.entries_), keep);
  return out;
}

template <class Change>
resources resources::transformed(Change change) const {
  auto changed = entries_;
  for (auto& e : changed) change(&e);
  return normalised(std::move(changed));
}

namespace {

bool is_reserved(const resource_entry& e) {
  return !e.kind->reservations.empty();
}
bool is_scalar(const resource_entry& e) {
  return e.kind->type == v1::Value::SCALAR;
}

template <class Change>
kind_ptr changed(const resource_kind& kind, Change change) {
  auto copy = kind;
  change(&copy.reservations);
  return share(std::move(copy));
}

}  // namespace

resources resources::named(std::string_view name) const {
  return where([&](const auto& e) { return e.kind->name == name; });
}

resources resources::unreserved() const {
  return where([](const auto& e) { return !is_reserved(e); });
}

resources resources::reserved() const {
  return where(is_reserved);
}

resources resources::reserved_to(std::string_view role) const {
  return where([&](const auto& e) { return is_reserved(e) && e.kind->role() == role; });
}

resources resources::dynamically_reserved() const {
  return where([](const auto& e) { return e.kind->dynamically_reserved(); });
}

resources resources::allocatable_to(std::string_view role) const {
  return where([&](const auto& e) { return !is_reserved(e) || role_within(role, e.kind->role()); });
}

resources resources::revocable() const {
  return where([](const auto& e) { return e.kind->revocable; });
}

resources resources::nonrevocable() const {
  return where([](const auto& e) { return !e.kind->revocable; });
}

resources resources::shared() const {
  return where([](const auto& e) { return e.kind->shared; });
}

resources resources::persistent_volumes() const {
  return where([](const auto& e) { return e.kind->persistent(); });
}

resources resources::checkpointed() const {
  return where([](const auto& e) { return e.kind->dynamically_reserved() || e.kind->persistent(); });
}

resources resources::scalars() const {
  return where(is_scalar);
}

resources resources::non_scalars() const {
  return where([](const auto& e) { return !is_scalar(e); });
}

result<resources> resources::push_reservation(const reservation& given) const {
  if (!given.IsInitialized())
    return invalid("reservation: missing required fields: " + given.InitializationErrorString());
  if (!is_utf8(given)) return invalid("reservation: all strings must be UTF-8");
  auto top = given;
  top.DiscardUnknownFields();
  for (const auto& e : entries_) {
    auto stack = e.kind->reservations;
    stack.push_back(top);
    auto ok = validate_reservations(stack);
    if (!ok) return invalid("resource " + quoted(e.kind->name) + ": " + ok.error().message);
    if (e.kind->revocable && top.type() == reservation::DYNAMIC)
      return invalid("resource " + quoted(e.kind->name) + ": revocable resources cannot be reserved dynamically");
  }
  return transformed(
      [&](resource_entry* e) { e->kind = changed(*e->kind, [&](auto* stack) { stack->push_back(top); }); });
}

result<resources> resources::pop_reservation() const {
  for (const auto& e : entries_) {
    if (!e.kind->dynamically_reserved())
      return invalid("resource " + quoted(e.kind->name) + " must be reserved dynamically to be unreserved");
    if (e.kind->persistent())
      return invalid("resource " + quoted(e.kind->name) + " must not hold the persistent volume " +
                     quoted(e.kind->disk->persistence().id()) + " to be unreserved");
  }
  return transformed([](resource_entry* e) { e->kind = changed(*e->kind, [](auto* stack) { stack->pop_back(); }); });
}

resources resources::to_unreserved() const {
  return transformed([](resource_entry* e) {
    if (is_reserved(*e)) e->kind = changed(*e->kind, [](auto* stack) { stack->clear(); });
  });
}

resources resources::allocated_to(std::string_view role) const {
  const auto tag = std::make_shared<const std::string>(role);
  return transformed([&](resource_entry* e) { e->allocated_to = tag; });
}

resources resources::unallocated() const {
  return transformed([](resource_entry* e) { e->allocated_to = nullptr; });
}

std::optional<std::string> resources::allocation_role() const {
  if (entries_.empty() || !entries_.front().allocated_to) return std::nullopt;
  const auto& role = *entries_.front().allocated_to;
  for (const auto& e : entries_)
    if (!e.allocated_to || *e.allocated_to != role) return std::nullopt;
  return role;
}

}  // namespace troupe
