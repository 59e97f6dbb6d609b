#include "actors/allocator/share_order.hpp"

#include "protocol/mutant.hpp"

#include <stdexcept>
#include <tuple>
#include <utility>

namespace troupe {

bool operator<(const share_order::rank& a, const share_order::rank& b) {
  if (a.share < b.share) return true;
  if (b.share < a.share) return false;
  if (mutated(mutant::grants_not_counted)) return a.name < b.name;
  return std::tie(a.grants, a.name) < std::tie(b.grants, b.name);
}

void share_order::place(const std::string& name, dominant_share share, bool competing) {
  member& m = members_[name];
  unlist(name, m);
  m.share = std::move(share);
  m.competing = competing;
  list(name, m);
}

void share_order::erase(const std::string& name) {
  const auto found = members_.find(name);
  if (found == members_.end()) return;
  unlist(name, found->second);
  members_.erase(found);
}

void share_order::count_grant(const std::string& name, std::uint64_t times) {
  member& m = members_[name];
  unlist(name, m);
  m.grants += times;
  list(name, m);
}

void share_order::unlist(const std::string& name, const member& m) {
  if (m.competing) competing_.erase({m.share, m.grants, name});
}

void share_order::list(const std::string& name, const member& m) {
  if (m.competing) competing_.insert({m.share, m.grants, name});
}

void share_order::check_invariants() const {
  std::size_t expected = 0;
  for (const auto& [name, m] : members_) {
    if (!m.competing) continue;
    ++expected;
    if (competing_.count({m.share, m.grants, name}) == 0) {
      throw std::logic_error("share_order: " + name + " competes but is not ranked");
    }
  }
  if (expected != competing_.size()) throw std::logic_error("share_order: somebody is ranked who does not compete");
}

}  // namespace troupe
