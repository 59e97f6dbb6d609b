#pragma once

#include "actors/allocator/allocation_policy.hpp"
#include "actors/allocator/allocation_tags.hpp"
#include "actors/allocator/allocator_options.hpp"
#include "actors/allocator/candidates.hpp"
#include "actors/allocator/ledger.hpp"
#include "actors/allocator/offer_filters.hpp"
#include "actors/allocator/standings.hpp"
#include "actors/allocator/subscriber.hpp"
#include "actors/runtime/step.hpp"
#include "protocol/verbs.hpp"
#include "troupe/internal/allocator_state.pb.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace troupe {

class bundles;

/// Decides who is offered what. It alone holds who has what; the master claims and releases (allocation.proto).
///
/// At the end of each step it looks at what that step made worth looking at, and offers: whole agents, each to the
/// first claimant in the policy's order that may take something of it. Once an allocation interval, while something is
/// free and somebody wants it, a few agents are looked at again whether or not anything happened, in turn: a safety
/// net, which should never find anything.
///
/// It has soft state only. On internal::Recovered it forgets everything and says AllocatorStarted; the master then
/// feeds it. Messages about things it does not know, or that do not fit its ledger, are ignored as far as they do not
/// fit, with a line in the log.
class allocator_core {
 public:
  using hears = allocator_hears;

  explicit allocator_core(allocator_options options = {});

  /// Nothing is durable here.
  void remember(std::string_view key, std::string_view record);
  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now);
  internal::AllocatorState save() const;
  /// State that save() did not write is accepted as far as it makes sense.
  static allocator_core load(const internal::AllocatorState& state, allocator_options options = {});
  /// An internal::AllocatorView, whatever is asked for.
  std::shared_ptr<const google::protobuf::Message> look(const std::string& what) const;
  void check_invariants() const;
  /// Between steps nothing is free that somebody would take: at a cost of agents × claimants, for tests. Throws
  /// std::logic_error.
  void check_nothing_waits() const;

  // --- one for each verb; called by dispatch()
  // -----------------------------------------------------------------------------------
  void handle(step& s, const internal::Recovered& m);
  void handle(step& s, const internal::TimerFired& m);
  void handle(step& s, const internal::PeerConnected& m);
  void handle(step& s, const internal::PeerDisconnected& m);
  void handle(step& s, const internal::AddAgent& m);
  void handle(step& s, const internal::RemoveAgent& m);
  void handle(step& s, const internal::SetAgentActive& m);
  void handle(step& s, const internal::AddFramework& m);
  void handle(step& s, const internal::UpdateFramework& m);
  void handle(step& s, const internal::RemoveFramework& m);
  void handle(step& s, const internal::SetFrameworkActive& m);
  void handle(step& s, const internal::SuppressRoles& m);
  void handle(step& s, const internal::ReviveRoles& m);
  void handle(step& s, const internal::SetWeights& m);
  void handle(step& s, const internal::SettleOffer& m);
  void handle(step& s, const internal::ReleaseResources& m);
  void handle(step& s, const internal::ChargeResources& m);

 private:
  struct agent_entry {
    v1::AgentInfo info;
    bool active = true;
  };
  /// (framework, role) → agent → what it is offered in this run.
  using grants = std::map<std::pair<framework_id, std::string>, std::map<agent_id, resources>>;

  // allocator_events.cpp
  void subscribe(const framework_id& id, subscriber framework);
  void place_claims(const framework_id& id, const std::set<std::string>& roles, bool look_again);
  void unsubscribe(const framework_id& id, const std::set<std::string>& roles);
  std::string untagged_role(const framework_id& framework) const;
  void log_excess(step& s, const agent_id& agent) const;
  void install_filter(step& s, const claimant& who, const agent_id& agent, const v1::Filters& filters,
                      const agent_account::settlement& settled);

  // allocator_run.cpp
  void expire_filters(const context& now);
  void sweep(const context& now);
  void run(step& s);
  void serve_agent(const agent_id& agent, grants& given);
  std::optional<resources> bundle_for(const claimant& who, const agent_id& agent, bundles& made) const;
  void announce(step& s, const grants& given, std::size_t looked_at);
  void plan_sweep(const context& now);
  std::optional<monotonic_time> wake_at() const;
  bool active(const agent_id& agent) const;

  // allocator_state.cpp
  internal::AllocatorView view() const;

  allocator_options options_;
  ledger ledger_;
  standings standings_;
  offer_filters filters_;
  std::map<agent_id, agent_entry> agents_;
  std::map<framework_id, subscriber> frameworks_;
  std::optional<monotonic_time> sweep_at_;
  agent_id swept_to_;
  /// Empty between steps.
  candidates candidates_;
};

}  // namespace troupe
