#include "actors/elector/elector.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

/// One step, and the state as a whole: moments that follow from it, loaded, looked at, checked.
namespace troupe {

elector::elector(elector_options options) : options_(std::move(options)) {}

outbox elector::on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
  outbox out;
  step s{head, now, out};
  // What has run out by now counts before what has come: an answer that was late does not prolong a lead.
  keep_time(s);
  dispatch(*this, s, body);
  proceed(s);
  out.wake_at = next_deadline();
  return out;
}

elector elector::load(const internal::ElectorState& state, elector_options options) {
  elector loaded(std::move(options));
  loaded.state_ = state;
  return loaded;
}

std::shared_ptr<const google::protobuf::Message> elector::look(const std::string&) const {
  return std::make_shared<const internal::ElectorState>(state_);
}

namespace {

std::chrono::nanoseconds timeout_of(const internal::ElectorState& state) {
  return std::chrono::milliseconds(state.timeout_ms());
}

}  // namespace

monotonic_time elector::lead_ends() const {
  const auto timeout = timeout_of(state_);
  return monotonic_at(state_.in_touch_ns()) + timeout - std::min(options_.margin, timeout / 2);
}

monotonic_time elector::next_touch() const {
  return monotonic_at(state_.in_touch_ns()) + std::min(options_.touch_interval, timeout_of(state_) / 5);
}

moment elector::next_deadline() const {
  moment next;
  if (state_.has_ask_ns()) next = monotonic_at(state_.ask_ns());
  if (state_.has_pending()) next = earliest(next, monotonic_at(state_.pending().sent_ns()) + timeout_of(state_));
  if (leads()) next = earliest(next, lead_ends());
  if (leads() && state_.connected() && !state_.has_pending()) next = earliest(next, next_touch());
  return next;
}

/// The epoch is the one that we tried to write, in our own hand.
bool elector::holds_epoch() const {
  return state_.has_epoch() && state_.has_attempted_epoch() && state_.epoch().epoch() == state_.attempted_epoch() &&
         state_.epoch().session_id() == state_.session_id();
}

std::string elector::in_root(std::string_view name) const {
  return (options_.root == "/" ? "" : options_.root) + "/" + std::string(name);
}

void elector::check_invariants() const {
  auto require = [this](bool holds, const std::string& what) {
    if (!holds) throw std::logic_error("elector: " + what + ": " + state_.ShortDebugString());
  };
  require(state_.connected() || state_.has_ask_ns(), "it waits for nothing");
  require(!state_.connected() || state_.has_session_id(), "connected without a session");
  require(!state_.has_pending() || state_.connected(), "a request that nobody answers");
  require(!state_.has_folder() || stands(), "an observer makes folders");
  require(state_.own_member().empty() || stands(), "an observer is a member");
  if (!leads()) return;
  require(is_first(), "it leads and is not the first member");
  require(holds_epoch() && state_.leading_epoch() == state_.epoch().epoch(), "it leads without the epoch");
  require(state_.leader_member() == state_.own_member(), "it leads and says that somebody else does");
}

}  // namespace troupe
