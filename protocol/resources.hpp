#pragma once

#include "protocol/error.hpp"
#include "protocol/resource_entry.hpp"
#include "protocol/roles.hpp"
#include "troupe/v1/troupe.pb.h"

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// name → thousandths; for ranges and sets the count of values × 1000. What quotas, shares and minima are written in.
using quantities = std::map<std::string, milli>;

/// A multiset of resources: exact, normalised (sorted, coalesced, nothing empty), comparable. The algebra of Mesos's
/// resources; two entries merge only if everything about them but the value is the same, and some never merge (mounts,
/// volumes).
///
/// Errors are values: nothing from outside is ever trusted to be well-formed. `a - b` requires a.contains(b), checked.
/// A sum past 64 bits throws std::overflow_error; with what from() admits that takes more than nine thousand lists at
/// its limit.
///
/// Ranges and sets are sets, so `+` unites them: (a + b) - b is a if and only if !a.overlaps(b).
/// A shared volume that is added again gains a share, and loses one when subtracted; amounts count it once.
///
/// A value: copies share their immutable kinds; distinct values may be used in distinct threads.
class resources {
 public:
  using proto_list = google::protobuf::RepeatedPtrField<v1::Resource>;
  using reservation = v1::Resource::ReservationInfo;

  resources() = default;

  /// Validates each entry (field-by-field, the message names the entry and the field) and adds them up. Both forms of
  /// reservations are understood; a name has one type, and at most `largest_amount` in all.
  static result<resources> from(const proto_list& list);
  static result<resources> from(const v1::Resource& one);

  /// The textual form `cpus:4;mem:2048;ports:[31000-32000];disk(role):1024`, as resources_text.hpp describes it. (Of a
  /// JSON array of Resource the JSON layer makes messages first; from() reads those.) Names without a role go to
  /// `default_role` ("*" = unreserved).
  static result<resources> parse(std::string_view text, std::string_view default_role = "*");

  /// As messages in the stack form (`reservations`), in normal order. A volume shared n times is there n times.
  proto_list proto() const;
  void add_to(proto_list* list) const;
  /// For frameworks without RESERVATION_REFINEMENT: `role` and `reservation`. An error if a reservation is refined.
  result<proto_list> to_pre_refinement_form() const;

  bool empty() const { return entries_.empty(); }
  /// Sorted by compare(); what the rest of this class says in words, for those who must be quick.
  const std::vector<resource_entry>& entries() const& { return entries_; }
  const std::vector<resource_entry>& entries() const&& = delete;  // it would dangle
  bool contains(const resources& other) const;
  /// Is some integer of a range, or some item of a set, in entries of the same kind and allocation on both sides?
  bool overlaps(const resources& other) const;

  resources& operator+=(const resources& other);
  /// Requires contains(other); otherwise throws std::logic_error and changes nothing.
  resources& operator-=(const resources& other);
  friend resources operator+(resources a, const resources& b) { return std::move(a += b); }
  friend resources operator-(resources a, const resources& b) { return std::move(a -= b); }
  friend bool operator==(const resources& a, const resources& b);
  friend bool operator!=(const resources& a, const resources& b) { return !(a == b); }

  /// The part of a that is also in b, entry by entry (the largest c with a.contains(c) and b.contains(c)).
  resources intersect(const resources& other) const;

  // --- parts
  // -------------------------------------------------------------------------------------------------------------------
  resources named(std::string_view name) const;
  resources unreserved() const;
  resources reserved() const;
  /// Reserved to exactly this role.
  resources reserved_to(std::string_view role) const;
  /// The last reservation is a dynamic one.
  resources dynamically_reserved() const;
  /// Unreserved, or reserved to the role or to an ancestor of it.
  resources allocatable_to(std::string_view role) const;
  resources revocable() const;
  resources nonrevocable() const;
  resources shared() const;
  resources persistent_volumes() const;
  /// What an agent must remember across restarts: dynamic reservations and persistent volumes.
  resources checkpointed() const;
  resources scalars() const;
  resources non_scalars() const;

  // --- reservations
  // ----------------------------------------------------------------------------------------------------------------
  /// All entries with one more reservation on top; an error if some entry cannot carry it.
  result<resources> push_reservation(const reservation& top) const;
  /// All entries without the top reservation; an error if some entry is not reserved dynamically, or is a persistent
  /// volume.
  result<resources> pop_reservation() const;
  /// All entries without any reservation. For comparing amounts; a volume among them is no longer one that an agent can
  /// have.
  resources to_unreserved() const;

  // --- allocation role
  // -----------------------------------------------------------------------------------------------------------
  /// All entries, each tagged as allocated to the role, whatever tag it had.
  resources allocated_to(std::string_view role) const;
  /// All entries, without any such tag.
  resources unallocated() const;
  /// The single role that all entries are allocated to; absent if there is none, or several.
  std::optional<std::string> allocation_role() const;

  // --- amounts
  // -------------------------------------------------------------------------------------------------------------------
  milli scalar(std::string_view name) const;  ///< total over all entries of that name; 0 if none
  quantities amounts() const;
  std::vector<std::string> names() const;  ///< sorted

  /// Takes the scalars `want` (and nothing else) out of this, from unreserved entries of no special kind; absent if
  /// there is not enough.
  std::optional<resources> find_scalars(const quantities& want) const;

  /// Every invariant of the normal form; throws std::logic_error naming the entry.
  void check_invariants() const;

  /// `cpus:1.5; mem:32; ports:[1-2]`, reservations in parentheses; for people and logs, and parse() reads it back.
  friend std::ostream& operator<<(std::ostream& out, const resources& r);
  std::string text() const;

 private:
  template <class Predicate>
  resources where(Predicate keep) const;
  template <class Change>
  resources transformed(Change change) const;
  /// Sorts the entries and merges those that belong together.
  static resources normalised(std::vector<resource_entry> entries);

  std::vector<resource_entry> entries_;
};

/// An operation on resources, as what it takes and what it makes of that: reserve, unreserve, create, destroy, grow,
/// shrink.
struct resource_conversion {
  resources consumed;
  resources converted;
};

/// `pool` with the conversion applied; a conflict, naming what is missing, if it does not contain what is consumed.
result<resources> apply(const resource_conversion& conversion, const resources& pool);

}  // namespace troupe
