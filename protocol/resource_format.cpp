#include "protocol/resource_format.hpp"

#include "protocol/quoting.hpp"
#include "protocol/roles.hpp"
#include "protocol/utf8.hpp"
#include "protocol/validation.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {
namespace {

using reservation_info = v1::Resource::ReservationInfo;
using disk_info = v1::Resource::DiskInfo;

// --- amounts ---------------------------------------------------------------------------------------------------------

result<resource_amount> scalar_from(const v1::Resource& message) {
  if (!message.has_scalar()) return invalid("scalar is missing, although type is SCALAR");
  const double value = message.scalar().value();
  if (!std::isfinite(value) || value < 0 || value > static_cast<double>(largest_amount) / 1000)
    return invalid("scalar.value must be a number from 0 to 1e12, not " + std::to_string(value));
  const milli thousandths = std::llround(value * 1000);
  if (message.name() == "gpus" && thousandths % 1000 != 0)
    return invalid("scalar.value of gpus must be a whole number, not " + std::to_string(value));
  return resource_amount(thousandths);
}

std::string text_of(const interval& i) {
  return std::to_string(i.begin) + "-" + std::to_string(i.end);
}

result<resource_amount> ranges_from(const v1::Resource& message) {
  if (!message.has_ranges()) return invalid("ranges is missing, although type is RANGES");
  std::vector<interval> parts;
  parts.reserve(static_cast<std::size_t>(message.ranges().range_size()));
  for (const auto& range : message.ranges().range()) {
    const interval part{range.begin(), range.end()};
    if (part.begin > part.end) return invalid("range " + text_of(part) + " must not end before it begins");
    if (part.end > largest_in_range) return invalid("range " + text_of(part) + " must end at 1000000000000 at most");
    parts.push_back(part);
  }
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < parts.size(); ++i)
    if (parts[i].begin <= parts[i - 1].end)
      return invalid("ranges " + text_of(parts[i - 1]) + " and " + text_of(parts[i]) + " must not overlap");
  return resource_amount(interval_set(std::move(parts)));
}

result<resource_amount> set_from(const v1::Resource& message) {
  if (!message.has_set()) return invalid("set is missing, although type is SET");
  resource_amount::items items(message.set().item().begin(), message.set().item().end());
  std::sort(items.begin(), items.end());
  const auto twice = std::adjacent_find(items.begin(), items.end());
  if (twice != items.end()) return invalid("set must not have the item " + quoted(*twice) + " twice");
  return resource_amount(std::move(items));
}

result<resource_amount> amount_from(const v1::Resource& message) {
  const bool scalar = message.type() == v1::Value::SCALAR;
  const bool ranges = message.type() == v1::Value::RANGES;
  const bool set = message.type() == v1::Value::SET;
  if ((message.has_scalar() && !scalar) || (message.has_ranges() && !ranges) || (message.has_set() && !set))
    return invalid("only the value that type names may be set, and type is " + v1::Value::Type_Name(message.type()));
  if (scalar) return scalar_from(message);
  if (ranges) return ranges_from(message);
  if (set) return set_from(message);
  return invalid("type must be SCALAR, RANGES or SET, not TEXT");
}

// --- reservations ----------------------------------------------------------------------------------------------------

result<std::vector<reservation_info>> old_reservation(const v1::Resource& message) {
  std::vector<reservation_info> stack;
  if (message.role() == "*") {
    if (message.has_reservation()) return invalid("reservation needs a role other than '*'");
    return stack;
  }
  if (message.reservation().has_type() || message.reservation().has_role())
    return invalid("reservation.type and reservation.role must not be set beside role; use reservations instead");
  stack.push_back(message.reservation());
  stack.back().set_type(message.has_reservation() ? reservation_info::DYNAMIC : reservation_info::STATIC);
  stack.back().set_role(message.role());
  return stack;
}

result<std::vector<reservation_info>> stack_from(const v1::Resource& message) {
  if (message.reservations_size() == 0) return old_reservation(message);
  if (message.has_role() || message.has_reservation())
    return invalid("either reservations, or role and reservation may be set, not both");
  return std::vector<reservation_info>(message.reservations().begin(), message.reservations().end());
}

const char* fault_of(const reservation_info& reservation, const reservation_info* below) {
  if (reservation.role() == "*") return "role must not be '*': nothing can be reserved to it";
  if (reservation.type() == reservation_info::UNKNOWN) return "type must be STATIC or DYNAMIC";
  if (below == nullptr) return nullptr;
  if (reservation.type() != reservation_info::DYNAMIC) return "type must be DYNAMIC: only the first may be STATIC";
  if (!role_strictly_within(reservation.role(), below->role()))
    return "role must be below the role of the reservation before it";
  return nullptr;
}

// --- the rest --------------------------------------------------------------------------------------------------------

result<void> check_source(const disk_info::Source& source) {
  switch (source.type()) {
    case disk_info::Source::PATH:
      if (source.has_mount()) return invalid("disk.source.mount must not be set, because type is PATH");
      return {};
    case disk_info::Source::MOUNT:
      if (source.has_path()) return invalid("disk.source.path must not be set, because type is MOUNT");
      return {};
    case disk_info::Source::BLOCK:
    case disk_info::Source::RAW:
      if (source.has_path() || source.has_mount())
        return invalid("disk.source.path and disk.source.mount must not be set, because type is " +
                       disk_info::Source::Type_Name(source.type()));
      return {};
    case disk_info::Source::UNKNOWN:
      break;
  }
  return invalid("disk.source.type must be PATH, MOUNT, BLOCK or RAW");
}

result<void> check_disk(const resource_kind& kind) {
  const auto& disk = *kind.disk;
  if (kind.name != "disk") return invalid("disk may be set on the resource named \"disk\" only");
  if (disk.has_persistence())
    if (auto ok = validate_id("disk.persistence.id", disk.persistence().id()); !ok) return ok;
  if (disk.has_volume() && !disk.has_persistence()) return invalid("disk.volume needs disk.persistence beside it");
  if (!disk.has_persistence() && !disk.has_source()) return invalid("disk must have a source or a persistence");
  return disk.has_source() ? check_source(disk.source()) : result<void>();
}

result<void> check_kind(const resource_kind& kind) {
  if (kind.provider)
    if (auto ok = validate_id("provider_id", *kind.provider); !ok) return ok;
  if (auto ok = validate_reservations(kind.reservations); !ok) return ok;
  if (kind.disk)
    if (auto ok = check_disk(kind); !ok) return ok;
  if (kind.shared && !kind.persistent()) return invalid("shared may be set on persistent volumes only");
  if (!kind.revocable) return {};
  if (kind.persistent()) return invalid("revocable resources cannot hold a persistent volume");
  const auto dynamic = [](const auto& r) { return r.type() == reservation_info::DYNAMIC; };
  if (std::any_of(kind.reservations.begin(), kind.reservations.end(), dynamic))
    return invalid("revocable resources cannot be reserved dynamically");
  return {};
}

/// The resources that everybody knows have one type each; other names are free.
result<void> check_well_known(const v1::Resource& message) {
  const auto& name = message.name();
  const bool scalar = name == "cpus" || name == "mem" || name == "disk" || name == "gpus";
  if (scalar && message.type() != v1::Value::SCALAR) return invalid("type must be SCALAR");
  if (name == "ports" && message.type() != v1::Value::RANGES) return invalid("type must be RANGES");
  return {};
}

result<kind_ptr> kind_from(const v1::Resource& message) {
  resource_kind kind;
  kind.name = message.name();
  kind.type = message.type();
  auto stack = stack_from(message);
  if (!stack) return stack.error();
  kind.reservations = std::move(*stack);
  if (message.has_provider_id()) kind.provider = message.provider_id().value();
  if (message.has_disk()) kind.disk = message.disk();
  kind.revocable = message.has_revocable();
  kind.shared = message.has_shared();
  if (auto ok = check_kind(kind); !ok) return ok.error();
  // Fields that we do not know cannot be part of what a resource is: nobody could compare them.
  for (auto& reservation : kind.reservations) reservation.DiscardUnknownFields();
  if (kind.disk) kind.disk->DiscardUnknownFields();
  return share(std::move(kind));
}

result<void> check_allocation(const v1::Resource& message) {
  if (!message.has_allocation_info()) return {};
  auto ok = validate_role(message.allocation_info().role());
  if (!ok) return invalid("allocation_info.role: " + ok.error().message);
  return {};
}

/// What most resources are made of is looked at directly: reflection costs more than all else here together.
bool strings_are_utf8(const v1::Resource& message) {
  const bool has_more = message.has_set() || message.reservations_size() > 0 || message.has_reservation() ||
                        message.has_disk() || message.has_provider_id() || message.has_revocable() ||
                        message.has_shared();
  if (has_more) return is_utf8(message);
  return is_utf8(std::string_view(message.name())) && is_utf8(std::string_view(message.role())) &&
         is_utf8(std::string_view(message.allocation_info().role()));
}

result<resource_entry> read(const v1::Resource& message) {
  if (!message.IsInitialized()) return invalid("missing required fields: " + message.InitializationErrorString());
  if (!strings_are_utf8(message)) return invalid("all strings must be UTF-8");
  if (message.name().empty()) return invalid("name must not be empty");
  if (auto ok = check_well_known(message); !ok) return ok.error();
  if (auto ok = check_allocation(message); !ok) return ok.error();
  auto amount = amount_from(message);
  if (!amount) return amount.error();
  auto kind = kind_from(message);
  if (!kind) return kind.error();
  resource_entry entry;
  entry.kind = std::move(*kind);
  entry.amount = std::move(*amount);
  if (message.has_allocation_info())
    entry.allocated_to = std::make_shared<const std::string>(message.allocation_info().role());
  return entry;
}

}  // namespace

result<void> validate_reservations(const std::vector<reservation_info>& stack) {
  for (std::size_t i = 0; i < stack.size(); ++i) {
    const auto where = "reservations[" + std::to_string(i) + "].";
    if (const char* fault = fault_of(stack[i], i == 0 ? nullptr : &stack[i - 1])) return invalid(where + fault);
    if (auto ok = validate_role(stack[i].role()); !ok) return invalid(where + "role: " + ok.error().message);
  }
  return {};
}

result<resource_entry> entry_from(const v1::Resource& message) {
  auto entry = read(message);
  if (!entry) return invalid("resource " + quoted(message.name()) + ": " + entry.error().message);
  return entry;
}

result<v1::Resource> to_pre_refinement_form(v1::Resource stack_form) {
  if (stack_form.reservations_size() > 1)
    return invalid("resource " + quoted(stack_form.name()) +
                   ": a refined reservation can be given to frameworks with RESERVATION_REFINEMENT only");
  stack_form.set_role("*");
  if (stack_form.reservations_size() == 1) {
    auto reservation = stack_form.reservations(0);
    stack_form.set_role(reservation.role());
    reservation.clear_role();
    const bool dynamic = reservation.type() == reservation_info::DYNAMIC;
    reservation.clear_type();
    if (dynamic) *stack_form.mutable_reservation() = std::move(reservation);
  }
  stack_form.clear_reservations();
  return stack_form;
}

}  // namespace troupe
