#include "actors/master/framework_rules.hpp"

#include "actors/master/framework_table.hpp"
#include "protocol/quoting.hpp"
#include "protocol/roles.hpp"
#include "protocol/validation.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace troupe {

namespace {

result<void> validate_roles(const v1::FrameworkInfo& info) {
  const bool multi_role = has_capability(info, v1::FrameworkInfo::Capability::MULTI_ROLE);
  if (multi_role && info.has_role())
    return invalid("framework_info.role must not be set with the capability MULTI_ROLE; use roles");
  if (!multi_role && !info.roles().empty())
    return invalid("framework_info.roles needs the capability MULTI_ROLE; use role, or add the capability");
  std::set<std::string> seen;
  for (const auto& role : roles_of(info)) {
    if (auto valid = validate_role(role); !valid)
      return invalid("framework_info." + std::string(multi_role ? "roles" : "role") + ": " + valid.error().message);
    if (!seen.insert(role).second) return invalid("framework_info.roles names " + quoted(role) + " more than once");
  }
  return {};
}

// Protobuf maps have no order; which of several errors is reported must not depend on chance.
template <class Map>
auto sorted(const Map& map) {
  std::map<typename Map::key_type, const typename Map::mapped_type*> entries;
  for (const auto& [key, value] : map) entries.emplace(key, &value);
  return entries;
}

result<void> validate_filters(const v1::FrameworkInfo& info) {
  for (const auto& [role, filters] : sorted(info.offer_filters())) {
    const auto of = "framework_info.offer_filters of role " + quoted(role);
    for (const auto& set : filters->min_allocatable_resources().quantities()) {
      if (set.quantities().empty()) return invalid(of + " holds an empty set of quantities");
      for (const auto& [name, amount] : sorted(set.quantities()))
        if (!std::isfinite(amount->value()) || amount->value() < 0)
          return invalid(of + ": the quantity of " + quoted(name) + " must be a finite number that is not negative");
    }
  }
  return {};
}

}  // namespace

result<void> validate_framework(const v1::FrameworkInfo& info) {
  if (info.has_id() && !info.id().value().empty())
    if (auto valid = validate_id("framework_info.id", info.id().value()); !valid) return valid;
  if (auto valid = validate_roles(info); !valid) return valid;
  // A duration counts nanoseconds in 64 bits.
  if (!std::isfinite(info.failover_timeout()) || info.failover_timeout() < 0 || info.failover_timeout() > 9.2e9)
    return invalid("framework_info.failover_timeout must be between 0 and 9.2e9 seconds");
  return validate_filters(info);
}

result<void> validate_subset(const role_list& roles, const v1::FrameworkInfo& info, std::string_view field) {
  const auto own = roles_of(info);
  for (const auto& role : roles)
    if (std::find(own.begin(), own.end(), role) == own.end())
      return invalid(std::string(field) + " names " + quoted(role) + ", which is not among the framework's roles");
  return {};
}

result<void> validate_constraints(const v1::scheduler::OfferConstraints& constraints) {
  if (constraints.role_constraints().empty()) return {};
  return invalid(
      "offer_constraints are not supported by this master; leave them out and decline the offers that do not suit");
}

}  // namespace troupe
