#include "protocol/resource_entry.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <array>
#include <stdexcept>

namespace troupe {
namespace {

using source = v1::Resource::DiskInfo::Source;

std::string serialized(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

/// Everything but name, type, amount and allocation.
void fill(const resource_kind& kind, v1::Resource* out) {
  if (kind.provider) out->mutable_provider_id()->set_value(*kind.provider);
  for (const auto& reservation : kind.reservations) *out->add_reservations() = reservation;
  if (kind.disk) *out->mutable_disk() = *kind.disk;
  if (kind.revocable) out->mutable_revocable();
  if (kind.shared) out->mutable_shared();
}

bool is_plain(const resource_kind& kind) {
  return !kind.provider && kind.reservations.empty() && !kind.disk && !kind.revocable && !kind.shared;
}

std::string identity_of(const resource_kind& kind) {
  if (is_plain(kind)) return {};
  v1::Resource rest;
  fill(kind, &rest);
  if (rest.has_disk()) rest.mutable_disk()->clear_volume();
  rest.set_name({});
  rest.set_type(v1::Value::SCALAR);
  return serialized(rest);
}

bool never_adds(const resource_kind& kind) {
  if (kind.shared || kind.persistent()) return true;
  if (!kind.disk || !kind.disk->has_source()) return false;
  switch (kind.disk->source().type()) {
    case source::MOUNT:
    case source::BLOCK:
      return true;
    case source::RAW:
      return kind.disk->source().has_id();
    case source::PATH:
    case source::UNKNOWN:
      return false;
  }
  return false;
}

struct well_known {
  std::array<resource_kind, 5> kinds;
  well_known() {
    constexpr std::array<const char*, 5> names{"cpus", "mem", "disk", "gpus", "ports"};
    for (std::size_t i = 0; i < names.size(); ++i) kinds[i].name = names[i];
    kinds[4].type = v1::Value::RANGES;
  }
};

/// A pointer without an owner: it lives as long as the process, and copying it costs no atomic counter.
kind_ptr well_known_kind(const resource_kind& kind) {
  static const auto* table = new well_known;
  for (const auto& known : table->kinds)
    if (known.type == kind.type && known.name == kind.name) return kind_ptr(kind_ptr(), &known);
  return nullptr;
}

int compare_text(std::string_view a, std::string_view b) {
  return a.compare(b);
}

int compare_allocation(const resource_entry& a, const resource_entry& b) {
  if (a.allocated_to == b.allocated_to) return 0;
  if (!a.allocated_to || !b.allocated_to) return a.allocated_to ? 1 : -1;
  return compare_text(*a.allocated_to, *b.allocated_to);
}

void fill_amount(const resource_amount& amount, v1::Resource* out) {
  switch (amount.type()) {
    case v1::Value::SCALAR: {
      const milli all = amount.thousandths();
      out->mutable_scalar()->set_value(static_cast<double>(all / 1000) + static_cast<double>(all % 1000) / 1000);
      return;
    }
    case v1::Value::RANGES:
      for (const auto& part : amount.ranges().intervals()) {
        auto* range = out->mutable_ranges()->add_range();
        range->set_begin(part.begin);
        range->set_end(part.end);
      }
      return;
    case v1::Value::SET:
      for (const auto& item : amount.set()) out->mutable_set()->add_item(item);
      return;
    case v1::Value::TEXT:
      return;
  }
}

}  // namespace

std::string_view resource_kind::role() const {
  return reservations.empty() ? std::string_view() : std::string_view(reservations.back().role());
}

bool resource_kind::dynamically_reserved() const {
  return !reservations.empty() && reservations.back().type() == reservation::DYNAMIC;
}

kind_ptr share(resource_kind kind) {
  if (is_plain(kind))
    if (auto known = well_known_kind(kind)) return known;
  kind.indivisible = never_adds(kind);
  kind.identity = identity_of(kind);
  return std::make_shared<const resource_kind>(std::move(kind));
}

int compare(const resource_kind& a, const resource_kind& b) {
  if (&a == &b) return 0;
  if (const int order = compare_text(a.name, b.name)) return order;
  if (a.type != b.type) return a.type < b.type ? -1 : 1;
  if (const int order = compare_text(a.role(), b.role())) return order;
  return compare_text(a.identity, b.identity);
}

milli resource_entry::quantity() const {
  if (kind->shared || copies == 1) return amount.quantity();
  milli all = 0;
  if (__builtin_mul_overflow(amount.quantity(), copies, &all))
    throw std::overflow_error("a sum of resources exceeds 64 bits");
  return all;
}

v1::Resource resource_entry::proto() const {
  v1::Resource out;
  out.set_name(kind->name);
  out.set_type(kind->type);
  fill(*kind, &out);
  fill_amount(amount, &out);
  if (allocated_to) out.mutable_allocation_info()->set_role(*allocated_to);
  return out;
}

int compare(const resource_entry& a, const resource_entry& b) {
  if (const int order = compare(*a.kind, *b.kind)) return order;
  if (const int order = compare_allocation(a, b)) return order;
  if (!a.kind->indivisible || a.amount == b.amount) return 0;
  // Only disks are indivisible, and disks are scalars.
  return a.amount.thousandths() < b.amount.thousandths() ? -1 : 1;
}

}  // namespace troupe
