#include "actors/elector/elector.hpp"
#include "actors/elector/member_name.hpp"

#include <utility>
#include <vector>

/// Members, the epoch, and who leads.
namespace troupe {

namespace {

using internal::ElectorState;
using internal::RequestRefused;
using internal::StoppedLeading;

/// `/a/b` as `/a`, `/a/b`.
std::vector<std::string> folders_down_to(const std::string& path) {
  std::vector<std::string> folders;
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    folders.push_back(path.substr(0, slash));
  folders.push_back(path);
  return folders;
}

/// Among several, the one with the lowest sequence number; they come in any order.
struct lowest {
  std::uint64_t sequence = 0;
  std::string name;

  void see(std::uint64_t other, const std::string& other_name) {
    if (!name.empty() && sequence <= other) return;
    sequence = other;
    name = other_name;
  }
};

}  // namespace

// --- what to ask next
// --------------------------------------------------------------------------------------------------------------------------

/// Asks for what it needs to know next, if it may ask anything.
void elector::proceed(step& s) {
  if (!state_.connected() || state_.has_pending()) return;
  if (state_.has_folder()) return make_folder(s);
  if (state_.members_stale()) return list_members(s);
  if (stands() && state_.own_member().empty()) return join(s);
  if (state_.first_member().empty()) return;
  if (is_first()) return leads() ? stay_in_touch(s) : claim(s);
  if (state_.first_member() != state_.leader_member() && state_.first_member() != state_.void_member()) read_leader(s);
}

template <class Request>
void elector::ask(step& s, purpose why, Request request) {
  const auto id = state_.next_request_id();
  state_.set_next_request_id(id + 1);
  auto& waiting = *state_.mutable_pending();
  waiting.set_request_id(id);
  waiting.set_purpose(why);
  waiting.set_sent_ns(nanoseconds_of(s.now.now));
  request.set_request_id(id);
  s.say(coordinator(), std::move(request));
}

void elector::make_folder(step& s) {
  internal::CreateZnode folder;
  folder.set_path(folders_down_to(members_path()).at(state_.folder()));
  ask(s, ElectorState::MAKE_FOLDER, std::move(folder));
}

void elector::list_members(step& s) {
  internal::ListChildren members;
  members.set_path(members_path());
  members.set_watch(true);
  ask(s, ElectorState::LIST_MEMBERS, std::move(members));
}

void elector::join(step& s) {
  internal::CreateZnode member;
  member.set_path(members_path() + "/" + member_prefix(state_.session_id()));
  member.set_data(options_.candidate->SerializeAsString());
  member.set_ephemeral(true);
  member.set_sequential(true);
  ask(s, ElectorState::JOIN, std::move(member));
}

void elector::read_leader(step& s) {
  internal::ReadZnode member;
  member.set_path(members_path() + "/" + state_.first_member());
  ask(s, ElectorState::READ_LEADER, std::move(member));
}

void elector::read_epoch(step& s) {
  internal::ReadZnode epoch;
  epoch.set_path(epoch_path());
  ask(s, ElectorState::READ_EPOCH, std::move(epoch));
}

/// A change that changes nothing: the service as a whole answers it, while one server alone could answer a read.
void elector::confirm_epoch(step& s) {
  internal::ChangeZnodes confirmed;
  auto& check = *confirmed.add_changes()->mutable_check();
  check.set_path(epoch_path());
  check.set_version(state_.epoch_version());
  ask(s, ElectorState::CONFIRM_EPOCH, std::move(confirmed));
}

void elector::stay_in_touch(step& s) {
  if (next_touch() <= s.now.now) confirm_epoch(s);
}

void elector::claim(step& s) {
  if (!state_.has_epoch() && !state_.epoch_missing()) return read_epoch(s);
  if (!holds_epoch()) return raise_epoch(s);
  if (!in_touch(s.now.now)) return confirm_epoch(s);
  lead(s);
}

void elector::raise_epoch(step& s) {
  state_.set_attempted_epoch(state_.epoch().epoch() + 1);
  const auto record = own_record().SerializeAsString();
  if (state_.epoch_missing()) {
    internal::CreateZnode first;
    first.set_path(epoch_path());
    first.set_data(record);
    return ask(s, ElectorState::CREATE_EPOCH, std::move(first));
  }
  internal::WriteZnode next;
  next.set_path(epoch_path());
  next.set_data(record);
  next.set_version(state_.epoch_version());
  ask(s, ElectorState::WRITE_EPOCH, std::move(next));
}

/// What we write, or have written.
internal::EpochRecord elector::own_record() const {
  internal::EpochRecord record;
  record.set_epoch(state_.attempted_epoch());
  record.set_session_id(state_.session_id());
  *record.mutable_leader() = *options_.candidate;
  return record;
}

// --- what is answered
// -------------------------------------------------------------------------------------------------------------------------

void elector::handle(step&, const internal::WatchFired& fired) {
  if (fired.path() == members_path()) state_.set_members_stale(true);
}

void elector::handle(step& s, const internal::ChildrenListed& listed) {
  if (!settle(listed.request_id())) return;
  state_.clear_members_stale();
  lowest first;
  lowest own;
  bool leader_is_there = false;
  for (const auto& name : listed.children()) {
    const auto sequence = member_sequence(name);
    if (!sequence) continue;
    first.see(*sequence, name);
    if (stands() && is_member_of(name, state_.session_id())) own.see(*sequence, name);
    if (name == state_.leader_member()) leader_is_there = true;
  }
  on_members_known(s, own.name, first.name, leader_is_there);
}

void elector::on_members_known(step& s, const std::string& own, const std::string& first, bool leader_is_there) {
  if (first != state_.first_member() || own != state_.own_member())
    s.log("elector.members_changed first=" + first + " own=" + own);
  state_.set_own_member(own);
  state_.set_first_member(first);
  if (leads() && !is_first()) stop(s, StoppedLeading::MEMBER_REMOVED);
  if (!is_first()) {
    // Somebody else may raise it from now on.
    forget_epoch();
    state_.clear_attempted_epoch();
  }
  if (!leader_is_there) announce(s, "", nullptr);
}

void elector::handle(step&, const internal::ZnodeCreated& created) {
  const auto done = on_done(created.request_id());
  if (!done) return;
  if (done->purpose() == ElectorState::JOIN) state_.set_members_stale(true);
  if (done->purpose() == ElectorState::MAKE_FOLDER) on_folder_made();
  if (done->purpose() == ElectorState::CREATE_EPOCH) on_epoch_written(0);
}

void elector::handle(step&, const internal::ZnodeWritten& written) {
  if (on_done(written.request_id())) on_epoch_written(written.stat().version());
}

/// The epoch is confirmed, and that was all.
void elector::handle(step&, const internal::ZnodesChanged& changed) {
  (void)on_done(changed.request_id());
}

void elector::handle(step& s, const internal::ZnodeFound& found) {
  const auto settled = settle(found.request_id());
  if (!settled) return;
  if (settled->purpose() == ElectorState::READ_LEADER)
    on_leader_found(s, found.data());
  else
    on_epoch_found(s, found);
}

void elector::handle(step& s, const internal::RequestRefused& refused) {
  const auto settled = settle(refused.request_id());
  if (!settled) return;
  const auto purpose = settled->purpose();
  const auto why = refused.reason();
  if (why == RequestRefused::SESSION_EXPIRED) {
    end_session(s);
    return ask_for_session(s);
  }
  if (purpose == ElectorState::MAKE_FOLDER && why == RequestRefused::ZNODE_EXISTS) return on_folder_made();
  if (purpose == ElectorState::READ_LEADER && why == RequestRefused::NO_ZNODE) return state_.set_members_stale(true);
  if (purpose == ElectorState::READ_EPOCH && why == RequestRefused::NO_ZNODE) return state_.set_epoch_missing(true);
  if (purpose == ElectorState::CONFIRM_EPOCH &&
      (why == RequestRefused::BAD_VERSION || why == RequestRefused::NO_ZNODE)) {
    if (leads()) stop(s, StoppedLeading::EPOCH_TAKEN);
    return forget_epoch();
  }
  if ((purpose == ElectorState::WRITE_EPOCH && why == RequestRefused::BAD_VERSION) ||
      (purpose == ElectorState::WRITE_EPOCH && why == RequestRefused::NO_ZNODE) ||
      (purpose == ElectorState::CREATE_EPOCH && why == RequestRefused::ZNODE_EXISTS))
    return forget_epoch();
  if ((purpose == ElectorState::LIST_MEMBERS || purpose == ElectorState::JOIN) && why == RequestRefused::NO_ZNODE)
    return on_members_missing(s);
  s.log("elector.request_refused purpose=" + ElectorState::Purpose_Name(purpose) +
        " reason=" + RequestRefused::Reason_Name(why));
  state_.set_members_stale(true);
  pause(s);
}

void elector::on_folder_made() {
  const auto next = state_.folder() + 1;
  if (next < folders_down_to(members_path()).size()) return state_.set_folder(next);
  state_.clear_folder();
  state_.set_members_stale(true);
}

/// An observer changes nothing, and waits until somebody stands.
void elector::on_members_missing(step& s) {
  on_members_known(s, "", "", false);
  if (stands()) return state_.set_folder(0);
  pause(s);
}

void elector::on_leader_found(step& s, const std::string& data) {
  internal::Candidate found;
  const bool readable = found.ParseFromString(data) && found.has_address();
  const bool was_ours = readable && stands() && same(found.address(), options_.candidate->address());
  if (readable && !was_ours) return announce(s, state_.first_member(), &found);
  s.log("elector.member_void member=" + state_.first_member() + " reason=" + (was_ours ? "was_ours" : "unreadable"));
  state_.set_void_member(state_.first_member());
  announce(s, "", nullptr);
}

void elector::on_epoch_found(step& s, const internal::ZnodeFound& found) {
  internal::EpochRecord record;
  if (!record.ParseFromString(found.data()) || record.epoch() == 0) {
    s.log("elector.epoch_unreadable path=" + epoch_path());
    return pause(s);
  }
  *state_.mutable_epoch() = std::move(record);
  state_.set_epoch_version(found.stat().version());
}

void elector::on_epoch_written(std::int32_t version) {
  state_.clear_epoch_missing();
  *state_.mutable_epoch() = own_record();
  state_.set_epoch_version(version);
}

void elector::forget_epoch() {
  state_.clear_epoch();
  state_.clear_epoch_version();
  state_.clear_epoch_missing();
}

// --- what it says
// -----------------------------------------------------------------------------------------------------------------------------

void elector::lead(step& s) {
  state_.set_leading_epoch(state_.epoch().epoch());
  s.log("elector.started_leading epoch=" + std::to_string(epoch()) + " member=" + state_.own_member());
  internal::StartedLeading started;
  started.set_epoch(epoch());
  started.set_epoch_path(epoch_path());
  started.set_epoch_version(state_.epoch_version());
  s.say(options_.process, std::move(started));
  announce(s, state_.own_member(), &*options_.candidate);
}

/// If it comes to lead again, then with another epoch.
void elector::stop(step& s, reason why) {
  s.log("elector.stopped_leading epoch=" + std::to_string(epoch()) + " reason=" + StoppedLeading::Reason_Name(why));
  internal::StoppedLeading stopped;
  stopped.set_epoch(epoch());
  stopped.set_reason(why);
  s.say(options_.process, std::move(stopped));
  state_.clear_leading_epoch();
  state_.clear_attempted_epoch();
  forget_epoch();
  announce(s, "", nullptr);
}

/// `leader` null: nobody.
void elector::announce(step& s, const std::string& member, const internal::Candidate* leader) {
  if (member == state_.leader_member()) return;
  internal::LeaderChanged changed;
  if (leader) {
    state_.set_leader_member(member);
    *changed.mutable_leader() = *leader;
    *state_.mutable_leader() = *leader;
  } else {
    state_.clear_leader_member();
    state_.clear_leader();
  }
  s.log("elector.leader_changed member=" + (leader ? member + " leader=" + leader->name() : "nobody"));
  s.say(options_.process, std::move(changed));
}

}  // namespace troupe
