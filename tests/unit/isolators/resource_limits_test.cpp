#include "isolators/resource_limits.hpp"

#include <sys/resource.h>
#include <catch2/catch.hpp>

#include <optional>
#include <set>

namespace troupe {
namespace {

using Catch::Matchers::Contains;
using limit_type = v1::RLimitInfo::RLimit;

v1::RLimitInfo one(limit_type::Type type, std::optional<std::uint64_t> soft, std::optional<std::uint64_t> hard) {
  v1::RLimitInfo info;
  auto* limit = info.add_rlimits();
  limit->set_type(type);
  if (soft) limit->set_soft(*soft);
  if (hard) limit->set_hard(*hard);
  return info;
}

std::string refusal(const v1::RLimitInfo& info) {
  auto limits = plan_resource_limits(info);
  REQUIRE(limits.has_error());
  return limits.error().message;
}

}  // namespace

TEST_CASE("every type of limit has its own number in the system") {
  std::set<int> numbers;
  for (int type = limit_type::RLMT_AS; type <= limit_type::RLMT_STACK; ++type) {
    auto limits = plan_resource_limits(one(static_cast<limit_type::Type>(type), 1, 2)).value();
    REQUIRE(limits.size() == 1);
    CHECK(numbers.insert(limits[0].resource).second);
  }
  CHECK(numbers.size() == 16);
}

TEST_CASE("a limit without numbers is no limit") {
  auto limits = plan_resource_limits(one(limit_type::RLMT_CORE, {}, {})).value();
  CHECK(limits[0].resource == RLIMIT_CORE);
  CHECK(limits[0].soft == RLIM_INFINITY);
  CHECK(limits[0].hard == RLIM_INFINITY);
}

TEST_CASE("limits that make no sense are refused, naming the type") {
  CHECK_THAT(refusal(one(limit_type::RLMT_NOFILE, 1, {})), Contains("RLMT_NOFILE") && Contains("both"));
  CHECK_THAT(refusal(one(limit_type::RLMT_NOFILE, 3, 2)), Contains("soft 3"));
  CHECK_THAT(refusal(one(limit_type::UNKNOWN, 1, 2)), Contains("UNKNOWN"));
  auto twice = one(limit_type::RLMT_CPU, 1, 2);
  *twice.add_rlimits() = twice.rlimits(0);
  CHECK_THAT(refusal(twice), Contains("twice"));
}

}  // namespace troupe
