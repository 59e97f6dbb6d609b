#include "actors/allocator/min_allocatable.hpp"

#include <catch2/catch.hpp>

#include <limits>

namespace troupe {
namespace {

quantities amounts(const std::string& text) {
  return resources::parse(text).value().amounts();
}

}  // namespace

TEST_CASE("any one of the alternatives suffices, and all of its parts are needed") {
  const auto least = min_allocatable::parse("cpus:0.01|mem:32;disk:10").value();
  CHECK(least.reached_by(amounts("cpus:0.01")));
  CHECK(least.reached_by(amounts("mem:32;disk:10")));
  CHECK_FALSE(least.reached_by(amounts("mem:32;disk:9.999")));
  CHECK_FALSE(least.reached_by(amounts("cpus:0.009;mem:100")));
}

TEST_CASE("without alternatives anything is worth an offer") {
  CHECK(min_allocatable::parse("").value().reached_by(amounts("ports:[1-1]")));
}

TEST_CASE("the standard is a hundredth of a cpu, or 32 MB") {
  const auto standard = min_allocatable::standard();
  CHECK(standard.reached_by(amounts("cpus:0.01")));
  CHECK(standard.reached_by(amounts("mem:32")));
  CHECK_FALSE(standard.reached_by(amounts("cpus:0.009;mem:31.999;disk:1000")));
}

TEST_CASE("a minimum that cannot be read is an error") {
  const auto bad = min_allocatable::parse("cpus:0.01|mem");
  REQUIRE(!bad);
  CHECK(bad.error().message.find("min_allocatable") == 0);
}

TEST_CASE("a framework's own minimum is read from its message, whatever the numbers") {
  v1::OfferFilters::MinAllocatableResources message;
  (*message.add_quantities()->mutable_quantities())["cpus"].set_value(2);
  CHECK(min_allocatable(message).reached_by(amounts("cpus:2")));
  CHECK_FALSE(min_allocatable(message).reached_by(amounts("cpus:1")));
  (*message.mutable_quantities(0)->mutable_quantities())["mem"].set_value(std::numeric_limits<double>::infinity());
  CHECK_FALSE(min_allocatable(message).reached_by(amounts("cpus:2;mem:1000000")));
}

}  // namespace troupe
