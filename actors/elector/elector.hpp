#pragma once

#include "actors/elector/elector_options.hpp"
#include "actors/runtime/moments.hpp"
#include "actors/runtime/step.hpp"
#include "troupe/internal/elector_state.pb.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Finds out which master leads, and gets the lead for its own, if it has a candidate.
///
///     no session ─► OpenSession ─► joining ─► following ─► claiming ─► leading
///                                   │ an ephemeral sequential    │ conditional write    │ until the session ends,
///                                   │ znode below members/       │ of the epoch         │ or is out of touch too long
///
/// All candidates watch the members; the one with the lowest sequence number is to lead. It leads once it has raised
/// the epoch, which a conditional write does, so that each epoch is one leader's.
///
/// It asks one thing at a time, and always for what it needs to know next (`proceed`); after a lost answer it looks at
/// what is there. So it has no states but what it knows: its member's znode is found again by the session's id in its
/// name, an epoch in its own hand by the session's id beside it.
///
/// A leader stays in touch: it often has the service confirm the epoch, by a change that only checks its version, which
/// one server that is cut off from the others cannot answer. With no such answer to anything that was sent within the
/// session's timeout less a margin, it stops leading, at that moment by its own clock: the service cannot have expired
/// the session earlier. Short suspensions are sat out.
///
/// Without a candidate it changes nothing in the service and says LeaderChanged alone: what an agent or a framework
/// needs.
///
/// A core (actors/runtime/step.hpp) without records. A new incarnation knows nothing of a lead that an earlier one had
/// announced: whoever restarts it ends that lead first.
class elector {
 public:
  using hears = elector_hears;
  using state_message = internal::ElectorState;

  explicit elector(elector_options options);

  void remember(std::string_view, std::string_view) {}
  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now);

  internal::ElectorState save() const { return state_; }
  static elector load(const internal::ElectorState& state, elector_options options);

  /// Whatever is asked for: all of its state.
  std::shared_ptr<const google::protobuf::Message> look(const std::string& what) const;
  void check_invariants() const;

  /// With which it leads; 0 while it does not.
  std::uint64_t epoch() const { return state_.leading_epoch(); }

  // --- what it hears: elector_session.cpp
  // ----------------------------------------------------------------------------------------------------
  void handle(step& s, const internal::Recovered& recovered);
  void handle(step& s, const internal::TimerFired&) { (void)s; }
  void handle(step& s, const internal::PeerConnected&) { (void)s; }
  void handle(step& s, const internal::PeerDisconnected&) { (void)s; }
  void handle(step& s, const internal::SessionEstablished& established);
  void handle(step& s, const internal::SessionSuspended& suspended);
  void handle(step& s, const internal::SessionExpired& expired);
  void handle(step& s, const internal::RequestLost& lost);
  // elector_election.cpp
  void handle(step& s, const internal::WatchFired& fired);
  void handle(step& s, const internal::ChildrenListed& listed);
  void handle(step& s, const internal::ZnodeCreated& created);
  void handle(step& s, const internal::ZnodeFound& found);
  void handle(step& s, const internal::ZnodeWritten& written);
  void handle(step& s, const internal::ZnodeDeleted&) { (void)s; }
  void handle(step& s, const internal::ZnodesChanged& changed);
  void handle(step& s, const internal::RequestRefused& refused);

 private:
  using purpose = internal::ElectorState::Purpose;
  using pending = internal::ElectorState::Pending;
  using reason = internal::StoppedLeading::Reason;

  // --- the session, and the one request that is out: elector_session.cpp
  void keep_time(step& s);
  void ask_for_session(step& s);
  void pause(step& s);
  void end_session(step& s);
  std::optional<pending> settle(std::uint64_t request_id);
  std::optional<pending> on_done(std::uint64_t request_id);

  // --- what to ask next: elector_election.cpp
  void proceed(step& s);
  template <class Request>
  void ask(step& s, purpose why, Request request);
  void make_folder(step& s);
  void list_members(step& s);
  void join(step& s);
  void read_leader(step& s);
  void read_epoch(step& s);
  void confirm_epoch(step& s);
  void stay_in_touch(step& s);
  void claim(step& s);
  void raise_epoch(step& s);
  internal::EpochRecord own_record() const;

  // --- what is answered
  void on_folder_made();
  void on_members_known(step& s, const std::string& own, const std::string& first, bool leader_is_there);
  void on_members_missing(step& s);
  void on_leader_found(step& s, const std::string& data);
  void on_epoch_found(step& s, const internal::ZnodeFound& found);
  void on_epoch_written(std::int32_t version);
  void forget_epoch();

  // --- what it says
  void lead(step& s);
  void stop(step& s, reason why);
  void announce(step& s, const std::string& member, const internal::Candidate* leader);

  // --- what it is made of: elector.cpp
  bool stands() const { return options_.candidate.has_value(); }
  bool leads() const { return state_.has_leading_epoch(); }
  bool is_first() const { return !state_.own_member().empty() && state_.own_member() == state_.first_member(); }
  bool holds_epoch() const;
  bool in_touch(monotonic_time now) const { return state_.has_in_touch_ns() && now < lead_ends(); }
  monotonic_time lead_ends() const;
  monotonic_time next_touch() const;
  moment next_deadline() const;
  std::string in_root(std::string_view name) const;
  std::string members_path() const { return in_root("members"); }
  std::string epoch_path() const { return in_root("epoch"); }

  elector_options options_;
  internal::ElectorState state_;
};

}  // namespace troupe
