#pragma once

#include "protocol/error.hpp"
#include "troupe/v1/troupe.pb.h"

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// An amount of a scalar in thousandths: 1.5 cpus is 1500. Negative amounts never leave a computation.
using milli = std::int64_t;

/// name → thousandths; for ranges and sets the count of values × 1000. What quotas, shares and minima are written in.
using quantities = std::map<std::string, milli>;

/// A multiset of resources: exact, normalised (sorted, coalesced, nothing empty), comparable. The algebra of Mesos's
/// resources; two entries merge only if everything about them but the value is the same, and some never merge (mounts, volumes).
///
/// Errors are values: nothing from outside is ever trusted to be well-formed. `a - b` requires a.contains(b), checked.
class resources {
 public:
  using proto_list = google::protobuf::RepeatedPtrField<v1::Resource>;

  resources() = default;

  /// Validates each entry (field-by-field, the message names the entry and the field) and adds them up.
  static result<resources> from(const proto_list& list);
  static result<resources> from(const v1::Resource& one);

  /// The textual form `cpus:4;mem:2048;ports:[31000-32000];disk(role):1024`, or a JSON array of Resource is NOT accepted here
  /// (see resources_text.hpp). Names without a role go to `default_role` ("*" = unreserved).
  static result<resources> parse(std::string_view text, std::string_view default_role = "*");

  /// As messages, in normal order.
  proto_list proto() const;
  void add_to(proto_list* list) const;

  bool empty() const;
  bool contains(const resources& other) const;

  resources& operator+=(const resources& other);
  /// Requires contains(other).
  resources& operator-=(const resources& other);
  friend resources operator+(resources a, const resources& b) { return a += b; }
  friend resources operator-(resources a, const resources& b) { return a -= b; }
  friend bool operator==(const resources& a, const resources& b);
  friend bool operator!=(const resources& a, const resources& b) { return !(a == b); }

  /// The part of a that is also in b, entry by entry (the largest c with a.contains(c) and b.contains(c)).
  resources intersect(const resources& other) const;

  // --- parts -------------------------------------------------------------------------------------------------------------------
  resources named(std::string_view name) const;
  resources unreserved() const;
  resources reserved() const;
  /// Reserved to exactly this role.
  resources reserved_to(std::string_view role) const;
  /// Unreserved, or reserved to the role or to an ancestor of it.
  resources allocatable_to(std::string_view role) const;
  resources revocable() const;
  resources nonrevocable() const;
  resources shared() const;
  resources persistent_volumes() const;
  resources scalars() const;
  resources non_scalars() const;

  // --- allocation role -----------------------------------------------------------------------------------------------------------
  /// All entries tagged as allocated to the role / without any such tag.
  resources allocated_to(std::string_view role) const;
  resources unallocated() const;
  /// The single role that all entries are allocated to; absent if there is none, or several.
  std::optional<std::string> allocation_role() const;

  // --- amounts -------------------------------------------------------------------------------------------------------------------
  milli scalar(std::string_view name) const;  ///< total over all entries of that name; 0 if none
  quantities amounts() const;
  std::vector<std::string> names() const;     ///< sorted

  /// Takes the scalars `want` (and nothing else) out of this, from unreserved entries of no special kind; absent if there is not enough.
  std::optional<resources> find_scalars(const quantities& want) const;

  /// Every invariant of the normal form; throws std::logic_error naming the entry.
  void check_invariants() const;

  /// `cpus:1.5; mem:32; ports:[1-2]`, reservations in parentheses; for people and logs, and parse() reads it back.
  friend std::ostream& operator<<(std::ostream& out, const resources& r);
  std::string text() const;

 private:
  struct entry;
  std::vector<v1::Resource> entries_;  // the implementer may choose another representation
};

/// Is `role` the same as `ancestor` or below it (`eng` and `eng/backend`)?
bool role_within(std::string_view role, std::string_view ancestor);

/// The rules of role names (no `..`, no leading slash, …). The message names the rule broken.
result<void> validate_role(std::string_view role);

}  // namespace troupe
