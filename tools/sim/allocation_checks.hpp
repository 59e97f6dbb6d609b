#pragma once

#include "protocol/resources.hpp"
#include "tools/sim/cluster.hpp"
#include "troupe/internal/allocation.pb.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe::sim {

/// What an allocator promises, kept by a second set of books: whatever it hears is entered here too, in a simpler way,
/// and whatever it offers is held against that.
///
///     I4  it offers what is free, of an agent that is active, and nothing that is reserved to others
///     I5  an offer is settled once
///     I6  who has suppressed or left a role, is away, or has refused it, is not offered it; nothing lies idle for long
///         that somebody would take; of two who hold nothing the one who was given less often is next
///
/// All of it throws `broken`.
class allocation_checks {
 public:
  using duration = timeline::duration;

  void on_step(const mail& heard, const context& now, const outbox& out);
  /// How often each promise was put to the test.
  const std::map<std::string, std::uint64_t>& looks() const { return looks_; }

 private:
  using claimant = std::pair<std::string, std::string>;  // framework, role
  struct holding {
    resources offered, used;
  };
  struct agent {
    v1::AgentInfo info;
    bool active = true;
    bool has_gpus = false;
    resources total;
    std::map<claimant, holding> holdings;
    std::optional<resources> free;  // until something changes
  };
  struct framework {
    std::set<std::string> roles, suppressed;
    bool active = true;
    bool takes_gpus = false;
    bool understands_refinement = false;
  };
  struct refusal {
    resources what;
    monotonic_time until;
  };
  using refusal_key = std::tuple<std::string, std::string, std::string>;  // framework, role, agent

  // --- what it hears
  void hear(const mail& heard, const context& now);
  void add(const internal::AddAgent& m);
  void subscribe(const v1::FrameworkInfo& info, const google::protobuf::RepeatedPtrField<std::string>& suppressed,
                 bool active);
  void settle(const internal::SettleOffer& m, const context& now);
  void release(const internal::ReleaseResources& m);
  void forget_refusals(const std::string& framework, const std::string& role);
  void forget_refusals(const std::string& framework);
  void forget_refusals_at(const std::string& agent);
  std::string untagged_role(const std::string& framework) const;
  std::map<std::string, resources> by_role(const google::protobuf::RepeatedPtrField<v1::Resource>& list,
                                           const std::string& otherwise) const;

  // --- what it says
  void offer(const internal::ResourcesOffered& m, const context& now);
  void look_for_idle(const context& now);
  void look_for_the_passed_over(const outbox& out, const std::set<claimant>& empty_before, const context& now);

  const resources& free_of(agent& a);
  bool competes(const claimant& who) const;
  bool holds_nothing(const claimant& who) const;
  bool refuses(const claimant& who, const std::string& at, const resources& what, monotonic_time now) const;
  /// What of these resources the claimant may be offered there.
  resources share_of(const claimant& who, const agent& of, const resources& what) const;
  bool would_take(const claimant& who, const std::string& id, const agent& of, const resources& what,
                  monotonic_time now) const;
  void look(const char* invariant) { ++looks_[invariant]; }

  std::map<std::string, agent> agents_;
  std::map<std::string, framework> frameworks_;
  std::map<refusal_key, std::vector<refusal>> refusals_;
  std::map<claimant, std::uint64_t> grants_;
  /// What somebody would take and nobody was offered, with the moment when that was seen first.
  std::map<std::pair<std::string, claimant>, monotonic_time> idle_;
  monotonic_time next_look_{};
  std::map<std::string, std::uint64_t> looks_;
};

}  // namespace troupe::sim
