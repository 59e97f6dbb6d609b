#include "protocol/interval_set.hpp"

#include "tests/unit/seeds.hpp"

#include <catch2/catch.hpp>

#include <iterator>
#include <random>
#include <set>

using troupe::interval;
using troupe::interval_set;

namespace {

using integers = std::set<std::uint64_t>;

integers expanded(const interval_set& s) {
  integers out;
  for (const auto& i : s.intervals())
    for (auto n = i.begin; n <= i.end; ++n) out.insert(n);
  return out;
}

interval_set drawn(std::mt19937_64* bits) {
  std::vector<interval> out((*bits)() % 6);
  for (auto& i : out) {
    i.begin = (*bits)() % 24;
    i.end = i.begin + (*bits)() % 5;
  }
  return interval_set(out);
}

}  // namespace

TEST_CASE("intervals that overlap or touch become one") {
  REQUIRE(interval_set({{5, 9}, {1, 2}, {3, 3}, {8, 12}}).intervals() == std::vector<interval>{{1, 3}, {5, 12}});
  REQUIRE(interval_set({{1, 10}, {2, 3}}).intervals() == std::vector<interval>{{1, 10}});
  REQUIRE(interval_set({{1, 2}, {4, 5}}).count() == 4);
  REQUIRE(interval_set().empty());
}

TEST_CASE("taking a middle out splits an interval") {
  const interval_set rest = interval_set({{1, 10}}).subtract(interval_set({{4, 6}}));
  REQUIRE(rest.intervals() == std::vector<interval>{{1, 3}, {7, 10}});
}

TEST_CASE("one cut may reach into several intervals, and several cuts into one") {
  REQUIRE(interval_set({{1, 4}, {6, 9}, {11, 14}}).subtract(interval_set({{3, 12}})).intervals() ==
          std::vector<interval>{{1, 2}, {13, 14}});
  REQUIRE(interval_set({{1, 9}}).subtract(interval_set({{1, 1}, {3, 4}, {9, 12}})).intervals() ==
          std::vector<interval>{{2, 2}, {5, 8}});
}

TEST_CASE("interval sets agree with sets of integers") {
  for (std::uint64_t seed = 1; seed <= troupe::test::seeds(5000); ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 bits(seed);
    const auto a = drawn(&bits);
    const auto b = drawn(&bits);
    const auto x = expanded(a);
    const auto y = expanded(b);
    integers both, either = x, only;
    either.insert(y.begin(), y.end());
    for (const auto n : x) (y.count(n) != 0 ? both : only).insert(n);
    const bool within = both.size() == y.size();
    REQUIRE(expanded(a.unite(b)) == either);
    REQUIRE(expanded(a.intersect(b)) == both);
    REQUIRE(expanded(a.subtract(b)) == only);
    REQUIRE(a.contains(b) == within);
    REQUIRE(a.overlaps(b) == !both.empty());
    REQUIRE(a.count() == x.size());
    REQUIRE((a == b) == (x == y));
    for (const auto& s : {a, a.unite(b), a.intersect(b), a.subtract(b)}) REQUIRE(s.normal());
  }
}
