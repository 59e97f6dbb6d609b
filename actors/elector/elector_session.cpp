#include "actors/elector/elector.hpp"

#include <utility>

/// The session, and the one request that is out.
namespace troupe {

namespace {

std::string of_session(const internal::ElectorState& state) {
  return " session=" + std::to_string(state.session_id());
}

}  // namespace

void elector::keep_time(step& s) {
  if (leads() && !in_touch(s.now.now)) stop(s, internal::StoppedLeading::OUT_OF_TOUCH);
  if (state_.has_pending()) {
    const auto sent = monotonic_at(state_.pending().sent_ns());
    if (sent + std::chrono::milliseconds(state_.timeout_ms()) <= s.now.now) {
      s.log("elector.request_unanswered request=" + std::to_string(state_.pending().request_id()) + of_session(state_));
      pause(s);
    }
  }
  if (state_.has_ask_ns() && monotonic_at(state_.ask_ns()) <= s.now.now) ask_for_session(s);
}

void elector::ask_for_session(step& s) {
  state_.set_ask_ns(nanoseconds_of(s.now.now + options_.retry));
  internal::OpenSession open;
  open.set_timeout_ms(static_cast<std::uint64_t>(options_.session_timeout.count()));
  s.say(coordinator(), std::move(open));
}

/// Nothing more is asked until the session is said to be there. What the request that is out may have changed has to be
/// looked at then.
void elector::pause(step& s) {
  state_.set_connected(false);
  state_.clear_pending();
  state_.set_ask_ns(nanoseconds_of(s.now.now + options_.retry));
}

void elector::handle(step& s, const internal::Recovered&) {
  // An answer to an earlier incarnation is none to this one.
  state_.set_next_request_id((s.now.incarnation << 32) + 1);
  ask_for_session(s);
}

void elector::handle(step& s, const internal::SessionEstablished& established) {
  if (established.session_id() == 0 || established.timeout_ms() == 0) {
    s.log("elector.session_ignored reason=no_id_or_timeout");
    return;
  }
  if (state_.has_session_id() && state_.session_id() != established.session_id()) end_session(s);
  state_.set_session_id(established.session_id());
  state_.set_timeout_ms(established.timeout_ms());
  state_.clear_ask_ns();
  if (state_.connected()) return;
  state_.set_connected(true);
  state_.set_members_stale(true);
  if (!leads()) forget_epoch();
  s.log("elector.session_established" + of_session(state_) + " timeout_ms=" + std::to_string(established.timeout_ms()));
}

/// A leader leads on: its time is counted from when it was last in touch.
void elector::handle(step& s, const internal::SessionSuspended& suspended) {
  if (!state_.has_session_id() || suspended.session_id() != state_.session_id()) return;
  s.log("elector.session_suspended" + of_session(state_));
  pause(s);
}

void elector::handle(step& s, const internal::SessionExpired& expired) {
  if (!state_.has_session_id() || expired.session_id() != state_.session_id()) return;
  end_session(s);
  ask_for_session(s);
}

/// What others were last known to do stays known; what we did is over.
void elector::end_session(step& s) {
  s.log("elector.session_expired" + of_session(state_));
  if (leads()) stop(s, internal::StoppedLeading::SESSION_EXPIRED);
  forget_epoch();
  state_.clear_attempted_epoch();
  state_.clear_own_member();
  state_.clear_first_member();
  state_.clear_members_stale();
  state_.clear_folder();
  state_.clear_pending();
  state_.clear_connected();
  state_.clear_session_id();
  state_.clear_timeout_ms();
  state_.clear_in_touch_ns();
}

void elector::handle(step& s, const internal::RequestLost& lost) {
  if (!state_.has_pending() || state_.pending().request_id() != lost.request_id()) return;
  s.log("elector.request_lost request=" + std::to_string(lost.request_id()) +
        " purpose=" + internal::ElectorState::Purpose_Name(state_.pending().purpose()));
  pause(s);
}

/// The request that this answers; nothing where it is none, or was given up.
std::optional<elector::pending> elector::settle(std::uint64_t request_id) {
  if (!state_.has_pending() || state_.pending().request_id() != request_id) return std::nullopt;
  auto settled = state_.pending();
  state_.clear_pending();
  return settled;
}

/// The same for a change that was done: the service has known this session since the request was sent.
std::optional<elector::pending> elector::on_done(std::uint64_t request_id) {
  auto settled = settle(request_id);
  if (settled) state_.set_in_touch_ns(settled->sent_ns());
  return settled;
}

}  // namespace troupe
