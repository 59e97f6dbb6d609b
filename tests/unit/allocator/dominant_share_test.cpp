#include "actors/allocator/dominant_share.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

namespace troupe {
namespace {

tally sum(const quantities& amounts) {
  tally t;
  t.add(amounts);
  return t;
}

}  // namespace

TEST_CASE("a dominant share is the largest of the fractions, and names its resource") {
  const auto share = dominant_share::of(sum({{"cpus", 3000}, {"mem", 4000}}), sum({{"cpus", 9000}, {"mem", 18000}}));
  CHECK(share.resource() == "cpus");
  CHECK(share.millionths() == 333333);
}

TEST_CASE("a resource that the cluster does not have counts for nothing") {
  const auto share = dominant_share::of(sum({{"gpus", 3000}}), sum({{"cpus", 9000}}));
  CHECK(share.resource().empty());
  CHECK(share == dominant_share());
}

TEST_CASE("shares that floating point cannot tell apart compare exactly") {
  const milli big = 9'007'199'254'740'993;  // 2^53 + 1
  const auto total = sum({{"mem", std::numeric_limits<milli>::max()}});
  CHECK(dominant_share::of(sum({{"mem", big - 1}}), total) < dominant_share::of(sum({{"mem", big}}), total));
  CHECK(dominant_share::of(sum({{"cpus", 1}}), sum({{"cpus", 3}})) ==
        dominant_share::of(sum({{"mem", 2}}), sum({{"mem", 6}})));
}

TEST_CASE("a weight divides the share") {
  const auto total = sum({{"cpus", 10}});
  const auto heavy = dominant_share::of(sum({{"cpus", 6}}), total, weight::from(3).value());
  CHECK(heavy == dominant_share::of(sum({{"cpus", 2}}), total));
  CHECK(heavy < dominant_share::of(sum({{"cpus", 3}}), total));
  CHECK(heavy.millionths() == 600000);
}

TEST_CASE("fractions whose products do not fit into 128 bits compare exactly") {
  const wide huge = static_cast<wide>(1) << 120;
  CHECK(compare_fractions(huge, huge + 1, huge + 1, huge + 2) < 0);
  CHECK(compare_fractions(huge + 1, huge + 2, huge, huge + 1) > 0);
  CHECK(compare_fractions(huge, huge - 1, huge, huge - 1) == 0);
  CHECK(compare_fractions(huge, huge + 2, huge / 2, huge / 2 + 1) == 0);
  CHECK(compare_fractions(0, huge, huge, huge) < 0);
}

TEST_CASE("comparing by Euclid's algorithm agrees with comparing by products") {
  const wide scale = static_cast<wide>(1) << 100;
  for (int a = 0; a < 8; ++a) {
    for (int b = 1; b < 8; ++b) {
      for (int c = 0; c < 8; ++c) {
        for (int d = 1; d < 8; ++d) {
          const int expected = a * d > c * b ? 1 : a * d < c * b ? -1 : 0;
          REQUIRE(compare_fractions(a, b, c, d) == expected);
          REQUIRE(compare_fractions(a * scale, b * scale, c * scale, d * scale) == expected);
        }
      }
    }
  }
}

TEST_CASE("a weight is a number between a millionth and a million") {
  CHECK(weight::from(0.5).value().millionths == 500000);
  CHECK(weight::from(1e-6).value().millionths == 1);
  CHECK(weight::from(1e6).value().millionths == 1'000'000'000'000);
  for (const double bad : {0.0, -1.0, 1e-7, 2e6, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK(!weight::from(bad));
  }
}

TEST_CASE("a tally holds no zeros and does not overflow") {
  tally t;
  const quantities most{{"cpus", std::numeric_limits<milli>::max()}};
  for (int i = 0; i < 100; ++i) t.add(most);
  CHECK(t.sums().at("cpus") == static_cast<wide>(std::numeric_limits<milli>::max()) * 100);
  for (int i = 0; i < 100; ++i) t.subtract(most);
  CHECK(t.empty());
}

}  // namespace troupe
