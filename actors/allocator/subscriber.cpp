#include "actors/allocator/subscriber.hpp"

#include "protocol/mutant.hpp"

#include <utility>

// `role` is deprecated for those who write frameworks; we go on reading it.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace troupe {
namespace {

using capability = v1::FrameworkInfo::Capability;

bool can(const v1::FrameworkInfo& info, capability::Type type) {
  for (const capability& c : info.capabilities()) {
    if (c.type() == type) return true;
  }
  return false;
}

std::set<std::string> roles_of(const v1::FrameworkInfo& info) {
  if (!can(info, capability::MULTI_ROLE)) return {info.role()};
  return {info.roles().begin(), info.roles().end()};
}

}  // namespace

subscriber::subscriber(v1::FrameworkInfo info, std::set<std::string> suppressed, bool active)
    : info_(std::move(info)), roles_(roles_of(info_)), active_(active) {
  able_.gpu = can(info_, capability::GPU_RESOURCES);
  able_.revocable = can(info_, capability::REVOCABLE_RESOURCES);
  able_.shared = can(info_, capability::SHARED_RESOURCES);
  able_.refined_reservations = can(info_, capability::RESERVATION_REFINEMENT);
  if (!suppressed.empty()) suppress(suppressed);
  for (const auto& [role, filters] : info_.offer_filters()) {
    if (filters.has_min_allocatable_resources()) {
      minima_.emplace(role, min_allocatable(filters.min_allocatable_resources()));
    }
  }
}

claim subscriber::claim_on(const std::string& role) const {
  if (roles_.count(role) == 0) return claim::none;
  return active_ && suppressed_.count(role) == 0 ? claim::competing : claim::resting;
}

const min_allocatable* subscriber::minimum(const std::string& role) const {
  const auto found = minima_.find(role);
  return found == minima_.end() ? nullptr : &found->second;
}

std::string subscriber::untagged_role() const {
  return roles_.size() == 1 ? *roles_.begin() : "*";
}

std::set<std::string> subscriber::suppress(const std::set<std::string>& roles) {
  std::set<std::string> changed;
  for (const std::string& role : roles.empty() ? roles_ : roles) {
    if (roles_.count(role) > 0 && suppressed_.insert(role).second) changed.insert(role);
  }
  return changed;
}

std::set<std::string> subscriber::revive(const std::set<std::string>& roles) {
  std::set<std::string> revived;
  const bool all = roles.empty() || mutated(mutant::revives_all_roles);
  for (const std::string& role : all ? roles_ : roles) {
    if (roles_.count(role) == 0) continue;
    suppressed_.erase(role);
    revived.insert(role);
  }
  return revived;
}

}  // namespace troupe
