#include "isolators/container_limits.hpp"

#include <catch2/catch.hpp>

#include <limits>

namespace troupe {
namespace {

using Catch::Matchers::Contains;

constexpr auto mb = bytes_per_mb;

internal::LaunchContainer launch(const std::string& requested) {
  internal::LaunchContainer made;
  for (const auto& resource : resources::parse(requested).value().proto()) *made.add_resources() = resource;
  return made;
}

internal::LaunchContainer with_limit(internal::LaunchContainer made, const std::string& name, double value) {
  (*made.mutable_limits())[name].set_value(value);
  return made;
}

}  // namespace

TEST_CASE("a request without a limit is its own limit") {
  auto limits = limits_of(launch("cpus:0.5;mem:33.5")).value();
  CHECK(limits.cpus == 500);
  CHECK(limits.cpus_max == 500);
  CHECK(limits.memory_bytes == 33 * mb + mb / 2);
  CHECK(limits.memory_bytes_max == limits.memory_bytes);
}

TEST_CASE("a limit may exceed its request, or be infinite") {
  auto launched =
      with_limit(with_limit(launch("cpus:1;mem:64"), "cpus", 2.5), "mem", std::numeric_limits<double>::infinity());
  auto limits = limits_of(launched).value();
  CHECK(limits.cpus == 1000);
  CHECK(limits.cpus_max == 2500);
  CHECK(limits.memory_bytes == 64 * mb);
  CHECK_FALSE(limits.memory_bytes_max);
}

TEST_CASE("what is not asked for is not limited") {
  auto limits = limits_of(launch("disk:10")).value();
  CHECK_FALSE(limits.cpus);
  CHECK_FALSE(limits.cpus_max);
  CHECK_FALSE(limits.memory_bytes);
  CHECK_FALSE(limits.memory_bytes_max);
}

TEST_CASE("limits that make no sense are refused, naming the field") {
  for (double value :
       {-1.0, std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity(), 1e300, 0.5}) {
    CAPTURE(value);
    auto limits = limits_of(with_limit(launch("cpus:1;mem:64"), "cpus", value));
    REQUIRE(limits.has_error());
    CHECK(limits.error().code == errc::invalid_argument);
    CHECK_THAT(limits.error().message, Contains("limits['cpus']"));
  }
}

TEST_CASE("an amount of memory that no machine has does not overflow") {
  auto limits = limits_of(launch("mem:2000000000"));
  REQUIRE(limits.has_error());
  CHECK_THAT(limits.error().message, Contains("mem"));
}

}  // namespace troupe
