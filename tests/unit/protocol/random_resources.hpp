#pragma once

#include "protocol/resources.hpp"

#include <cstdint>
#include <map>
#include <random>
#include <string>

namespace troupe::testing {

/// Draws resources from a small world, so that two draws often have kinds, ports and items in common. The same seed
/// draws the same on every machine.
class random_resources {
 public:
  explicit random_resources(std::uint64_t seed) : bits_(seed) {}

  /// A valid list, unsorted and with entries that merge, some of them empty.
  resources::proto_list list();
  resources draw();
  /// Something that `whole` contains.
  resources part_of(const resources& whole);

  /// 0 … limit - 1
  std::uint64_t below(std::uint64_t limit) { return bits_() % limit; }
  bool once_in(std::uint64_t n) { return below(n) == 0; }

 private:
  v1::Resource one();
  void add_reservations(v1::Resource* out);
  void add_disk(v1::Resource* out);
  void add_amount(v1::Resource* out);

  std::mt19937_64 bits_;
};

/// The same multiset, told in the most naive way: kind → unit (an integer, an item, or "" for thousandths) → how many.
using model = std::map<std::string, std::map<std::string, std::int64_t>>;

/// Straight from messages in the stack form, without the algebra.
model model_of(const resources::proto_list& list);
/// Units of ranges and sets are there or not; all others are counted.
model sum_of(const model& a, const model& b);
bool holds(const model& whole, const model& part);

}  // namespace troupe::testing
