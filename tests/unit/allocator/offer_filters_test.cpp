#include "actors/allocator/offer_filters.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

namespace troupe {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

claimant who(const std::string& framework, const std::string& role) {
  return {role, framework_id(framework)};
}
resources bundle(const std::string& text) {
  return resources::parse(text).value();
}
monotonic_time at(int second) {
  return monotonic_time(seconds(second));
}

const claimant a = who("a", "eng");
const agent_id here("agent-1");
const agent_id there("agent-2");

}  // namespace

TEST_CASE("a refusal covers bundles that it contains, and nothing that has more of anything") {
  offer_filters filters;
  filters.refuse(a, here, bundle("cpus:4;mem:100"), at(5));
  CHECK(filters.refuses(a, here, bundle("cpus:4;mem:100")));
  CHECK(filters.refuses(a, here, bundle("cpus:1")));
  CHECK_FALSE(filters.refuses(a, here, bundle("cpus:4.001;mem:1")));
  CHECK_FALSE(filters.refuses(a, here, bundle("cpus:1;ports:[1-1]")));
  CHECK_FALSE(filters.refuses(a, here, bundle("cpus(eng):1")));
}

TEST_CASE("a refusal is one framework's, for one role, on one agent") {
  offer_filters filters;
  filters.refuse(a, here, bundle("cpus:4"), at(5));
  CHECK_FALSE(filters.refuses(who("b", "eng"), here, bundle("cpus:1")));
  CHECK_FALSE(filters.refuses(who("a", "ops"), here, bundle("cpus:1")));
  CHECK_FALSE(filters.refuses(a, there, bundle("cpus:1")));
}

TEST_CASE("a refusal ends at its time, and says whose it was") {
  offer_filters filters;
  filters.refuse(a, here, bundle("cpus:4"), at(5));
  filters.refuse(a, there, bundle("cpus:4"), at(7));
  CHECK(filters.next_expiry() == at(5));
  CHECK(filters.expire(at(4)).empty());
  const auto ended = filters.expire(at(5));
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].first == here);
  CHECK(ended[0].second == a);
  CHECK_FALSE(filters.refuses(a, here, bundle("cpus:1")));
  CHECK(filters.next_expiry() == at(7));
  filters.check_invariants();
}

TEST_CASE("refusals of one claimant on one agent stand side by side, and drop those they cover") {
  offer_filters filters;
  filters.refuse(a, here, bundle("cpus:1"), at(5));
  filters.refuse(a, here, bundle("mem:64"), at(9));
  CHECK(filters.count(a) == 2);
  filters.refuse(a, here, bundle("cpus:2;mem:64"), at(10));
  CHECK(filters.count(a) == 1);
  CHECK(filters.next_expiry() == at(10));
  filters.refuse(a, here, bundle("cpus:1"), at(6));
  CHECK(filters.count(a) == 1);
  filters.check_invariants();
}

TEST_CASE("refusals are forgotten with their framework, their claimant or their agent") {
  offer_filters filters;
  const auto fill = [&] {
    for (const claimant& c : {who("a", "eng"), who("a", "ops"), who("b", "eng")}) {
      filters.refuse(c, here, bundle("cpus:1"), at(5));
      filters.refuse(c, there, bundle("cpus:1"), at(5));
    }
  };
  fill();
  filters.forget(framework_id("a"));
  CHECK(filters.count(who("a", "eng")) == 0);
  CHECK(filters.count(who("a", "ops")) == 0);
  CHECK(filters.count(who("b", "eng")) == 2);
  fill();
  filters.forget(who("a", "eng"));
  CHECK(filters.count(who("a", "eng")) == 0);
  CHECK(filters.count(who("a", "ops")) == 2);
  fill();
  filters.forget(here);
  CHECK(filters.count(who("a", "eng")) == 1);
  CHECK(filters.count(who("b", "eng")) == 1);
  filters.check_invariants();
  filters.forget(there);
  CHECK(filters.next_expiry() == std::nullopt);
}

TEST_CASE("a refusal lasts as asked, but neither shorter than the interval nor longer than a year") {
  const auto lasts = [](double s) { return refusal_time(s, seconds(1)); };
  CHECK(lasts(30) == nanoseconds(seconds(30)));
  CHECK(lasts(2.5) == nanoseconds(milliseconds(2500)));
  CHECK(lasts(0.25) == nanoseconds(seconds(1)));
  CHECK(lasts(0) == std::nullopt);
  CHECK(lasts(31'536'001) == nanoseconds(hours(365 * 24)));
}

TEST_CASE("negative or unrepresentable seconds mean five") {
  for (const double s : {-1.0, -1e300, 1e300, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK(refusal_time(s, seconds(1)) == nanoseconds(seconds(5)));
  }
}

}  // namespace troupe
