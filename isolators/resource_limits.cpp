#include "isolators/resource_limits.hpp"

#include <sys/resource.h>

#include <limits>
#include <optional>
#include <set>

namespace troupe {
namespace {

using type = v1::RLimitInfo::RLimit;

std::optional<int> number_of(type::Type which) {
  switch (which) {
    case type::UNKNOWN:
      return std::nullopt;
    case type::RLMT_AS:
      return RLIMIT_AS;
    case type::RLMT_CORE:
      return RLIMIT_CORE;
    case type::RLMT_CPU:
      return RLIMIT_CPU;
    case type::RLMT_DATA:
      return RLIMIT_DATA;
    case type::RLMT_FSIZE:
      return RLIMIT_FSIZE;
    case type::RLMT_LOCKS:
      return RLIMIT_LOCKS;
    case type::RLMT_MEMLOCK:
      return RLIMIT_MEMLOCK;
    case type::RLMT_MSGQUEUE:
      return RLIMIT_MSGQUEUE;
    case type::RLMT_NICE:
      return RLIMIT_NICE;
    case type::RLMT_NOFILE:
      return RLIMIT_NOFILE;
    case type::RLMT_NPROC:
      return RLIMIT_NPROC;
    case type::RLMT_RSS:
      return RLIMIT_RSS;
    case type::RLMT_RTPRIO:
      return RLIMIT_RTPRIO;
    case type::RLMT_RTTIME:
      return RLIMIT_RTTIME;
    case type::RLMT_SIGPENDING:
      return RLIMIT_SIGPENDING;
    case type::RLMT_STACK:
      return RLIMIT_STACK;
  }
  return std::nullopt;
}

}  // namespace

result<std::vector<resource_limit>> plan_resource_limits(const v1::RLimitInfo& info) {
  constexpr auto unlimited = std::numeric_limits<std::uint64_t>::max();
  std::vector<resource_limit> limits;
  std::set<int> seen;
  for (const auto& wanted : info.rlimits()) {
    auto name = "rlimits.rlimits " + type::Type_Name(wanted.type());
    auto number = number_of(wanted.type());
    if (!number) return invalid(name + ": the type must be one of RLMT_AS to RLMT_STACK");
    if (!seen.insert(*number).second) return invalid(name + " is given twice");
    if (wanted.has_soft() != wanted.has_hard()) {
      return invalid(name + ": soft and hard must both be given, or neither for unlimited");
    }
    resource_limit limit{*number, wanted.has_soft() ? wanted.soft() : unlimited,
                         wanted.has_hard() ? wanted.hard() : unlimited};
    if (limit.soft > limit.hard) {
      return invalid(name + ": soft " + std::to_string(limit.soft) + " must not exceed hard " +
                     std::to_string(limit.hard));
    }
    limits.push_back(limit);
  }
  return limits;
}

}  // namespace troupe
