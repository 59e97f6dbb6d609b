#include "actors/allocator/bundles.hpp"

#include "protocol/mutant.hpp"

namespace troupe {
namespace {

unsigned mask(subscriber::abilities able) {
  return (able.gpu ? 1u : 0u) | (able.revocable ? 2u : 0u) | (able.shared ? 4u : 0u) |
         (able.refined_reservations ? 8u : 0u);
}

resources without_refined_reservations(const resources& all) {
  resources::proto_list plain;
  for (const v1::Resource& one : all.proto()) {
    if (one.reservations_size() <= 1) *plain.Add() = one;
  }
  return resources::from(plain).value();
}

}  // namespace

bundles::bundles(const agent_account& account, bool hide_gpu_agents)
    : account_(account),
      gpus_only_(hide_gpu_agents && account.total().scalar("gpus") > 0),
      reservations_(!account.free().reserved().empty() && !mutated(mutant::reservations_seen_by_all)) {}

const bundles::bundle& bundles::for_role(const std::string& role, subscriber::abilities able) {
  // Without reservations all roles see the same.
  const std::pair<std::string, unsigned> kind{reservations_ ? role : std::string(), mask(able)};
  const auto found = made_.find(kind);
  if (found != made_.end()) return found->second;
  return made_.emplace(kind, make(role, able)).first->second;
}

bundles::bundle bundles::make(const std::string& role, subscriber::abilities able) const {
  if (gpus_only_ && !able.gpu) return {};
  resources content = account_.free().allocatable_to(role);
  if (!able.revocable) content -= content.revocable();
  if (!able.shared) content -= content.shared();
  if (reservations_ && !able.refined_reservations) content = without_refined_reservations(content);
  quantities amounts = content.amounts();
  return {std::move(content), std::move(amounts)};
}

}  // namespace troupe
