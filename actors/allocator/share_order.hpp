#pragma once

#include "actors/allocator/dominant_share.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace troupe {

/// Names ranked by who has least: smaller share first, then fewer grants, then name. Kept in order at O(log n) a
/// change. One level of the tree of roles and frameworks.
class share_order {
 public:
  struct rank {
    dominant_share share;
    std::uint64_t grants = 0;
    std::string name;

    friend bool operator<(const rank& a, const rank& b);
  };
  struct member {
    dominant_share share;
    std::uint64_t grants = 0;
    bool competing = false;
  };

  /// Adds the name if it is new.
  void place(const std::string& name, dominant_share share, bool competing);
  void erase(const std::string& name);
  /// The name was given something. Unknown names are added, not competing.
  void count_grant(const std::string& name, std::uint64_t times = 1);

  const std::map<std::string, member>& members() const { return members_; }
  /// Those who want resources, first who is next.
  const std::set<rank>& competing() const { return competing_; }

  /// Throws std::logic_error naming what is out of order.
  void check_invariants() const;

 private:
  void unlist(const std::string& name, const member& m);
  void list(const std::string& name, const member& m);

  std::map<std::string, member> members_;
  std::set<rank> competing_;
};

}  // namespace troupe
