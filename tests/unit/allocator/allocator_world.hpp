#pragma once

#include "actors/allocator/allocator_core.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// An offer as a test sees it.
struct offered {
  std::string framework;
  std::string role;
  std::string agent;
  resources content;  ///< tagged
};

/// One allocator, its clock, and what it has offered. Before every step it is saved and loaded, and the copy must
/// decide the same; after every step its invariants hold, and nobody waits for what is free.
class allocator_world {
 public:
  using capability = v1::FrameworkInfo::Capability;

  explicit allocator_world(allocator_options options = {}, std::uint64_t seed = 1);

  // --- messages; each returns what was offered in that step
  // ------------------------------------------------------------------------
  std::vector<offered> tell(const google::protobuf::Message& body);
  std::vector<offered> add_agent(const std::string& id, const std::string& total,
                                 const std::vector<internal::UsedResources>& used = {});
  std::vector<offered> remove_agent(const std::string& id);
  std::vector<offered> set_agent_active(const std::string& id, bool active);
  std::vector<offered> add_framework(const std::string& id, const std::vector<std::string>& roles = {"*"},
                                     const std::vector<capability::Type>& able = {},
                                     const std::vector<std::string>& suppressed = {});
  std::vector<offered> remove_framework(const std::string& id);
  std::vector<offered> set_framework_active(const std::string& id, bool active);
  std::vector<offered> suppress(const std::string& id, const std::vector<std::string>& roles = {});
  std::vector<offered> revive(const std::string& id, const std::vector<std::string>& roles = {});
  std::vector<offered> set_weight(const std::string& role, double weight);
  /// Uses nothing, with a filter; give_back() says nothing of filters.
  std::vector<offered> decline(const offered& offer, double refuse_seconds);
  std::vector<offered> give_back(const offered& offer);
  /// Uses that much, and gives the rest back without a filter.
  std::vector<offered> use(const offered& offer, const quantities& scalars);
  std::vector<offered> use_all(const offered& offer);
  std::vector<offered> settle(const offered& offer, const resources& used, const resources& unused,
                              const v1::Filters* filters = nullptr);
  std::vector<offered> release(const std::string& framework, const std::string& agent, const resources& tagged);
  std::vector<offered> charge(const std::string& framework, const std::string& agent, const resources& tagged);
  /// Lets time pass, waking the allocator whenever it asked for it.
  std::vector<offered> pass(std::chrono::nanoseconds time);

  internal::AllocatorView look() const;
  resources free_on(const std::string& agent) const;
  resources used_on(const std::string& agent) const;
  resources offered_on(const std::string& agent) const;

  std::optional<monotonic_time> wake_at;
  /// Of the last step.
  std::vector<std::string> log;
  /// Steps taken.
  int steps = 0;
  /// Everything the allocator ever said, byte by byte.
  std::string transcript;

 private:
  const internal::AllocatorView::Agent& agent_view(const internal::AllocatorView& all, const std::string& id) const;

  allocator_options options_;
  allocator_core core_;
  context now_;
  random_stream random_;
};

/// As a task would be charged: tagged with the role.
resources tagged(const std::string& text, const std::string& role = "*");
resources bare(const std::string& text);
internal::UsedResources used_by(const std::string& framework, const resources& tagged);

}  // namespace troupe
