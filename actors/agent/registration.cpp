#include "actors/agent/registration.hpp"

#include <algorithm>

namespace troupe {

void registration::seek(monotonic_time now, random_stream& random, const backoff& waits) {
  if (dismissed()) return;
  state_.set_phase(internal::AgentState::Registration::SEEKING);
  state_.clear_ping_deadline_ns();
  state_.set_attempts(0);
  wait(now, random, waits);
}

void registration::linked(monotonic_time now) {
  const bool registered_before = state_.has_ping_timeout_ns();
  if (!dismissed() && !registered_before) state_.set_next_attempt_ns(nanoseconds_of(now));
}

void registration::attempted(monotonic_time now, random_stream& random, const backoff& waits) {
  state_.set_attempts(state_.attempts() + 1);
  wait(now, random, waits);
}

void registration::wait(monotonic_time now, random_stream& random, const backoff& waits) {
  auto bound = std::min(waits.first, waits.longest);
  for (std::uint32_t n = 0; n < state_.attempts() && bound < waits.longest; ++n)
    bound = std::min(bound * 2, waits.longest);
  auto drawn = random.below(static_cast<std::uint64_t>(bound.count()) + 1);
  state_.set_next_attempt_ns(nanoseconds_of(now) + static_cast<std::int64_t>(drawn));
}

void registration::accepted(monotonic_time now, std::chrono::nanoseconds ping_timeout) {
  if (dismissed()) return;
  state_.set_phase(internal::AgentState::Registration::REGISTERED);
  state_.clear_next_attempt_ns();
  state_.clear_refusal();
  state_.set_attempts(0);
  state_.set_ping_timeout_ns(ping_timeout.count());
  pinged(now);
}

void registration::refused(const std::string& reason, monotonic_time now, const backoff& waits) {
  state_.set_refusal(reason);
  if (!dismissed()) state_.set_next_attempt_ns(nanoseconds_of(now + waits.longest));
}

void registration::dismiss(const std::string& reason) {
  state_.set_phase(internal::AgentState::Registration::DISMISSED);
  state_.set_refusal(reason);
  state_.clear_next_attempt_ns();
  state_.clear_ping_deadline_ns();
}

void registration::misconfigure(const std::string& reason) {
  state_.set_phase(internal::AgentState::Registration::MISCONFIGURED);
  state_.set_refusal(reason);
}

void registration::leave(monotonic_time farewell_until) {
  dismiss("told to leave the cluster");
  state_.set_phase(internal::AgentState::Registration::LEAVING);
  state_.set_farewell_until_ns(nanoseconds_of(farewell_until));
}

void registration::pinged(monotonic_time now) {
  if (registered()) state_.set_ping_deadline_ns(nanoseconds_of(now) + state_.ping_timeout_ns());
}

moment registration::next_attempt() const {
  return state_.has_next_attempt_ns() ? moment(monotonic_at(state_.next_attempt_ns())) : std::nullopt;
}

moment registration::ping_deadline() const {
  return state_.has_ping_deadline_ns() ? moment(monotonic_at(state_.ping_deadline_ns())) : std::nullopt;
}

moment registration::farewell_until() const {
  return state_.has_farewell_until_ns() ? moment(monotonic_at(state_.farewell_until_ns())) : std::nullopt;
}

registration registration::load(const internal::AgentState::Registration& in) {
  registration loaded;
  loaded.state_ = in;
  return loaded;
}

}  // namespace troupe
