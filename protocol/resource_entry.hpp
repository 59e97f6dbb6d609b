#pragma once

#include "protocol/resource_amount.hpp"
#include "troupe/v1/troupe.pb.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Everything about a resource but its amount and the role it is allocated to. Made once, then immutable and shared by
/// all entries that came from it, in any thread.
struct resource_kind {
  using reservation = v1::Resource::ReservationInfo;

  std::string name;
  v1::Value::Type type = v1::Value::SCALAR;
  std::optional<std::string> provider;
  /// Bottom first: the last one is who owns it now; empty means unreserved.
  std::vector<reservation> reservations;
  std::optional<v1::Resource::DiskInfo> disk;
  bool revocable = false;
  bool shared = false;

  /// Amounts of such entries never add up: mounts, block devices, identified raw disks, persistent volumes (so all that
  /// is shared, too). Equal entries are counted instead.
  bool indivisible = false;
  /// What makes a kind the same as another besides name, type and role; empty for plain resources. Where a volume is to
  /// be mounted (`disk.volume`) is not in it: a framework may mount the volume it was offered somewhere else each time.
  std::string identity;

  /// The role it is reserved to now; empty if unreserved.
  std::string_view role() const;
  bool persistent() const { return disk && disk->has_persistence(); }
  bool dynamically_reserved() const;
};

using kind_ptr = std::shared_ptr<const resource_kind>;

/// Completes `indivisible` and `identity` and shares the kind; plain well-known ones (cpus, mem, …) are one object for
/// all.
kind_ptr share(resource_kind kind);

/// Some order, the same on every machine: by name, type, role, identity. 0 means the same kind.
int compare(const resource_kind& a, const resource_kind& b);

/// One line of a resource collection.
struct resource_entry {
  kind_ptr kind;
  /// The role it is allocated to; null if it has no such tag.
  std::shared_ptr<const std::string> allocated_to;
  resource_amount amount;
  /// How many equal ones, for indivisible kinds; how many shares, for shared ones. Otherwise 1.
  std::uint64_t copies = 1;

  /// What it adds to a total: a shared volume counts once, however many share it.
  milli quantity() const;
  /// As a message in the stack form (`reservations`), for one copy.
  v1::Resource proto() const;
};

/// 0 if the two entries merge; else the order in which they are kept.
int compare(const resource_entry& a, const resource_entry& b);

}  // namespace troupe
