#include "actors/agent/status_stream.hpp"

#include "protocol/mutant.hpp"

#include <algorithm>

namespace troupe {

namespace {
constexpr std::size_t acknowledged_max = 64;
}

bool status_stream::knows(const std::string& uuid) const {
  return std::any_of(updates_.begin(), updates_.end(), [&](const update& u) { return u.status.uuid() == uuid; }) ||
         std::find(acknowledged_.begin(), acknowledged_.end(), uuid) != acknowledged_.end();
}

std::uint64_t status_stream::append(v1::TaskStatus status) {
  if (mutated(mutant::middle_update_lost) && updates_.size() > 1) updates_.pop_back();
  updates_.push_back({next_number_, std::move(status)});
  return next_number_++;
}

void status_stream::recover(std::uint64_t number, v1::TaskStatus status) {
  updates_.push_back({number, std::move(status)});
  next_number_ = number + 1;
}

std::optional<std::uint64_t> status_stream::acknowledge(const std::string& uuid) {
  const bool any = mutated(mutant::duplicate_acknowledgement_pops);
  if (updates_.empty() || (updates_.front().status.uuid() != uuid && !any)) return std::nullopt;
  auto number = updates_.front().number;
  updates_.pop_front();
  acknowledged_.push_back(uuid);
  if (acknowledged_.size() > acknowledged_max) acknowledged_.pop_front();
  rest();
  return number;
}

void status_stream::sent(monotonic_time now, std::chrono::nanoseconds first_pause,
                         std::chrono::nanoseconds longest_pause) {
  pause_ = pause_.count() == 0 ? first_pause : std::min(pause_ * 2, longest_pause);
  retry_at_ = now + pause_;
}

void status_stream::rest() {
  pause_ = std::chrono::nanoseconds(0);
  retry_at_.reset();
}

void status_stream::save(internal::AgentState::Stream& out) const {
  *out.mutable_executor_id() = executor_.proto();
  for (const auto& u : updates_) {
    auto* saved = out.add_updates();
    saved->set_number(u.number);
    *saved->mutable_status() = u.status;
  }
  for (const auto& uuid : acknowledged_) out.add_acknowledged(uuid);
  out.set_next_number(next_number_);
  out.set_retry_delay_ns(pause_.count());
  if (retry_at_) out.set_retry_at_ns(nanoseconds_of(*retry_at_));
}

status_stream status_stream::load(const internal::AgentState::Stream& in) {
  status_stream loaded(in.executor_id());
  for (const auto& u : in.updates()) loaded.updates_.push_back({u.number(), u.status()});
  loaded.acknowledged_.assign(in.acknowledged().begin(), in.acknowledged().end());
  loaded.next_number_ = in.next_number();
  loaded.pause_ = std::chrono::nanoseconds(in.retry_delay_ns());
  if (in.has_retry_at_ns()) loaded.retry_at_ = monotonic_at(in.retry_at_ns());
  return loaded;
}

}  // namespace troupe
