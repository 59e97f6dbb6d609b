#include "tests/unit/protocol/random_resources.hpp"

#include <array>
#include <cmath>

namespace troupe::testing {
namespace {

using reservation_info = v1::Resource::ReservationInfo;
using source = v1::Resource::DiskInfo::Source;

constexpr std::array<const char*, 7> names{"cpus", "mem", "disk", "disk", "gpus", "ports", "odd \"name\";:"};
constexpr std::array<const char*, 4> roles{"eng", "ops", "eng/db", "a,b;(c)"};

/// Ranges and sets unite, and so do their units; everything else adds up.
bool unites(const std::string& unit) {
  return !unit.empty() && unit != "copies";
}

std::string kind_of(v1::Resource message) {
  message.clear_scalar();
  message.clear_ranges();
  message.clear_set();
  return message.SerializeAsString();
}

bool is_counted(const v1::Resource& message) {
  const auto& disk = message.disk();
  return disk.has_persistence() || disk.source().type() == source::MOUNT || disk.source().type() == source::BLOCK ||
         (disk.source().type() == source::RAW && disk.source().has_id());
}

}  // namespace

void random_resources::add_reservations(v1::Resource* out) {
  const auto depth = below(4);
  std::string role = roles[below(roles.size())];
  for (std::uint64_t i = 0; i < depth; ++i) {
    auto* next = out->add_reservations();
    next->set_type(i == 0 && once_in(2) ? reservation_info::STATIC : reservation_info::DYNAMIC);
    next->set_role(role);
    if (once_in(2)) next->set_principal(once_in(2) ? "ops" : "a \"b\"\n");
    if (once_in(4)) {
      auto* label = next->mutable_labels()->add_labels();
      label->set_key("k}");
      if (once_in(2)) label->set_value("v'\"{");
    }
    role += once_in(2) ? "/x" : "/y";
  }
}

void random_resources::add_disk(v1::Resource* out) {
  if (once_in(3)) return;
  auto* disk = out->mutable_disk();
  const bool persistent = once_in(2);
  if (persistent) {
    disk->mutable_persistence()->set_id("v" + std::to_string(below(3)));
    disk->mutable_volume()->set_container_path("data");
    disk->mutable_volume()->set_mode(v1::Volume::RW);
    if (once_in(2)) out->mutable_shared();
    if (once_in(2)) return;
  }
  auto* from = disk->mutable_source();
  from->set_type(static_cast<source::Type>(1 + below(4)));
  if (from->type() == source::PATH) from->mutable_path()->set_root("/p" + std::to_string(below(2)));
  if (from->type() == source::MOUNT) from->mutable_mount()->set_root("/m" + std::to_string(below(2)));
  if (from->type() == source::RAW && once_in(2)) from->set_id("raw");
}

void random_resources::add_amount(v1::Resource* out) {
  if (out->name() == "ports") {
    out->set_type(v1::Value::RANGES);
    out->mutable_ranges();
    for (std::uint64_t next = below(4), n = below(4); n > 0; --n) {
      auto* range = out->mutable_ranges()->add_range();
      range->set_begin(next);
      range->set_end(next + below(4));
      next = range->end() + 1 + below(4);
    }
  } else if (out->name() == names.back()) {
    out->set_type(v1::Value::SET);
    out->mutable_set();
    for (const char* item : {"a", "b", "c d", "", "\"}"})
      if (once_in(2)) out->mutable_set()->add_item(item);
  } else {
    const auto unit = out->name() == "gpus" ? 1000 : 1;
    // Few sizes of disks, so that volumes are often equal.
    const auto amount = out->has_disk() ? 1000 * below(3) : below(5000);
    out->set_type(v1::Value::SCALAR);
    out->mutable_scalar()->set_value(static_cast<double>(amount * unit) / 1000);
  }
}

v1::Resource random_resources::one() {
  v1::Resource out;
  out.set_name(names[below(names.size())]);
  if (once_in(2)) add_reservations(&out);
  if (out.name() == "disk") add_disk(&out);
  const bool dynamic = out.reservations_size() > 0 && out.reservations().rbegin()->type() == reservation_info::DYNAMIC;
  if (!out.disk().has_persistence() && !dynamic && once_in(4)) out.mutable_revocable();
  if (once_in(3)) out.mutable_allocation_info()->set_role(roles[below(roles.size())]);
  if (once_in(8)) out.mutable_provider_id()->set_value("provider");
  add_amount(&out);
  return out;
}

resources::proto_list random_resources::list() {
  resources::proto_list out;
  for (auto n = below(9); n > 0; --n) {
    *out.Add() = one();
    if (once_in(3)) *out.Add() = v1::Resource(*out.rbegin());
  }
  return out;
}

resources random_resources::draw() {
  return resources::from(list()).value();
}

resources random_resources::part_of(const resources& whole) {
  resources::proto_list out;
  for (auto& message : whole.proto()) {
    if (once_in(3)) continue;
    auto* part = out.Add();
    *part = message;
    if (is_counted(message)) continue;
    if (part->has_scalar())
      part->mutable_scalar()->set_value(std::floor(static_cast<double>(below(4)) * part->scalar().value()) / 3);
    if (part->name() == "gpus") part->mutable_scalar()->set_value(std::floor(part->scalar().value()));
    if (part->ranges().range_size() > 1) part->mutable_ranges()->mutable_range()->RemoveLast();
    if (part->set().item_size() > 1) part->mutable_set()->mutable_item()->RemoveLast();
  }
  return resources::from(out).value();
}

model model_of(const resources::proto_list& list) {
  model out;
  for (const auto& message : list) {
    model one;
    auto& units = one[kind_of(message)];
    const auto thousandths = std::llround(message.scalar().value() * 1000);
    if (is_counted(message)) {
      if (thousandths > 0) one[message.SerializeAsString()]["copies"] = 1;
    } else if (thousandths > 0) {
      units[""] = thousandths;
    }
    for (const auto& range : message.ranges().range())
      for (auto i = range.begin(); i <= range.end(); ++i) units[std::to_string(i)] = 1;
    for (const auto& item : message.set().item()) units["item " + item] = 1;
    out = sum_of(out, one);
  }
  return out;
}

model sum_of(const model& a, const model& b) {
  model out = a;
  for (const auto& [kind, units] : b)
    for (const auto& [unit, count] : units) {
      auto& total = out[kind][unit];
      total = unites(unit) ? 1 : total + count;
    }
  for (auto i = out.begin(); i != out.end();) i = i->second.empty() ? out.erase(i) : std::next(i);
  return out;
}

bool holds(const model& whole, const model& part) {
  for (const auto& [kind, units] : part)
    for (const auto& [unit, count] : units) {
      const auto there = whole.find(kind);
      if (there == whole.end() || there->second.count(unit) == 0 || there->second.at(unit) < count) return false;
    }
  return true;
}

}  // namespace troupe::testing
