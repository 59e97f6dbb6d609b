#include "actors/allocator/share_order.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace troupe {
namespace {

dominant_share percent(milli amount) {
  tally charged;
  tally total;
  charged.add({{"cpus", amount}});
  total.add({{"cpus", 100}});
  return dominant_share::of(charged, total);
}

std::vector<std::string> names(const share_order& order) {
  std::vector<std::string> all;
  for (const auto& rank : order.competing()) all.push_back(rank.name);
  return all;
}

}  // namespace

TEST_CASE("who has the smaller share is first, then who was served less often, then the name") {
  share_order order;
  order.place("d", percent(10), true);
  order.place("c", percent(0), true);
  order.place("b", percent(0), true);
  order.place("a", percent(0), true);
  order.count_grant("a");
  CHECK(names(order) == std::vector<std::string>{"b", "c", "a", "d"});
  order.check_invariants();
}

TEST_CASE("a name moves when its share changes, and leaves the ranking when it does not compete") {
  share_order order;
  order.place("a", percent(10), true);
  order.place("b", percent(20), true);
  order.place("a", percent(30), true);
  CHECK(names(order) == std::vector<std::string>{"b", "a"});
  order.place("b", percent(20), false);
  CHECK(names(order) == std::vector<std::string>{"a"});
  CHECK(order.members().count("b") == 1);
  order.erase("a");
  CHECK(order.competing().empty());
  order.check_invariants();
}

TEST_CASE("grants are remembered while a name rests") {
  share_order order;
  order.place("a", percent(0), true);
  order.place("b", percent(0), true);
  order.count_grant("a", 3);
  order.place("a", percent(0), false);
  order.place("a", percent(0), true);
  CHECK(order.members().at("a").grants == 3);
  CHECK(names(order) == std::vector<std::string>{"b", "a"});
}

}  // namespace troupe
