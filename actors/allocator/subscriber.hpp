#pragma once

#include "actors/allocator/min_allocatable.hpp"
#include "actors/allocator/standings.hpp"
#include "troupe/v1/troupe.pb.h"

#include <map>
#include <set>
#include <string>

namespace troupe {

/// A framework as the allocator sees it: its roles, which of them want offers now, and what it can take.
class subscriber {
 public:
  /// What a framework has said that it understands; resources of other kinds are not offered to it.
  struct abilities {
    bool gpu = false;
    bool revocable = false;
    bool shared = false;
    bool refined_reservations = false;
  };

  subscriber(v1::FrameworkInfo info, std::set<std::string> suppressed, bool active);

  const v1::FrameworkInfo& info() const { return info_; }
  /// Those it is subscribed to: all of its roles if it can have several, else its one role.
  const std::set<std::string>& roles() const { return roles_; }
  const std::set<std::string>& suppressed() const { return suppressed_; }
  bool active() const { return active_; }
  abilities able() const { return able_; }
  claim claim_on(const std::string& role) const;
  /// Its own minimum for an offer to the role; null if it has none.
  const min_allocatable* minimum(const std::string& role) const;
  /// Whose resources are that carry no allocation tag: its role, if it has one only; else `*`.
  std::string untagged_role() const;

  void set_active(bool active) { active_ = active; }
  /// No roles means all of its own; others are passed over. Returns those that were not suppressed before.
  std::set<std::string> suppress(const std::set<std::string>& roles);
  /// Likewise; returns all that were named, suppressed before or not: their refusals are void either way.
  std::set<std::string> revive(const std::set<std::string>& roles);

 private:
  v1::FrameworkInfo info_;
  std::set<std::string> roles_;
  std::set<std::string> suppressed_;
  bool active_;
  abilities able_;
  std::map<std::string, min_allocatable> minima_;
};

}  // namespace troupe
