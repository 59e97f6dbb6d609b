#pragma once

#include "protocol/resources.hpp"

#include <map>
#include <string>

namespace troupe {

/// Wide enough for the exact sum of any number of agents' amounts, and for such a sum times a weight.
__extension__ typedef __int128 wide;

/// A running sum of quantities: name → thousandths. Never overflows, never holds a zero.
class tally {
 public:
  void add(const quantities& amounts);
  void subtract(const quantities& amounts);

  bool empty() const { return sums_.empty(); }
  const std::map<std::string, wide>& sums() const { return sums_; }

  friend bool operator==(const tally& a, const tally& b) { return a.sums_ == b.sums_; }
  friend bool operator!=(const tally& a, const tally& b) { return !(a == b); }

 private:
  void change(const std::string& name, wide by);
  std::map<std::string, wide> sums_;
};

}  // namespace troupe
