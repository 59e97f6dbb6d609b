#include "actors/agent/agent.hpp"

#include "protocol/mutant.hpp"

#include <utility>

namespace troupe {

agent::agent(agent_options options) : options_(std::move(options)) {}

outbox agent::on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
  outbox out;
  if (registration_.misconfigured()) return out;
  step s{head, now, out};
  random_ = random_stream(now.random_seed);
  bool was_finished = finished();
  bool deposed = head.from().role() == internal::MASTER && head.has_epoch() && head.epoch() < epoch();
  if (deposed && !mutated(mutant::deposed_master_obeyed))
    s.log("master.refused verb=" + std::string(verb_name(verb_of(body))) +
          " reason=deposed epoch=" + std::to_string(head.epoch()) + " known_epoch=" + std::to_string(epoch()));
  else
    dispatch(*this, s, body);
  if (finished() && !was_finished)
    tell_process(s, registration_.leaving() ? "left" : "dismissed", registration_.refusal());
  out.wake_at = next_deadline();
  return out;
}

moment agent::next_deadline() const {
  moment next = earliest(registration_.next_attempt(), registration_.ping_deadline());
  next = earliest(next, registration_.farewell_until());
  return earliest(next, soonest_);
}

/// Something is due then. What is called off stays expected: the timer then finds nothing to do, which costs less than
/// looking for the earliest at each step.
void agent::expect(moment at) {
  soonest_ = earliest(soonest_, at);
}

void agent::find_soonest() {
  soonest_.reset();
  for (const auto& [key, stream] : streams_) expect(stream.due());
  for (const auto& [fid, framework] : hosted_.all())
    for (const auto& [eid, executor] : framework.executors) expect(executor.deadline);
}

void agent::handle(step& s, const internal::TimerFired&) {
  if (is_due(registration_.ping_deadline(), s.now.now)) seek_master(s, "no_ping");
  if (is_due(registration_.next_attempt(), s.now.now)) attempt_registration(s);
  if (is_due(registration_.farewell_until(), s.now.now)) registration_.farewell_is_over();
  if (!is_due(soonest_, s.now.now)) return;
  for (auto& [key, stream] : streams_)
    if (is_due(stream.due(), s.now.now)) send_head(s, key, stream);
  std::vector<container_id> due;
  for (const auto& [fid, framework] : hosted_.all())
    for (const auto& [eid, executor] : framework.executors)
      if (is_due(executor.deadline, s.now.now)) due.push_back(executor.container());
  for (const auto& container : due)
    if (auto* executor = hosted_.find(container)) on_executor_timer(s, *executor);
  find_soonest();
}

void agent::handle(step& s, const internal::PeerConnected& peer) {
  if (!same(peer.peer(), leader())) return;
  seek_master(s, "connected");
  registration_.linked(s.now.now);
}

void agent::handle(step& s, const internal::PeerDisconnected& peer) {
  if (same(peer.peer(), leader())) {
    seek_master(s, "disconnected");
  } else if (peer.peer().role() == internal::EXECUTOR) {
    auto* executor = hosted_.find(container_id(peer.peer().id()));
    if (!executor || !executor->connected) return;
    executor->connected = false;
    s.log("executor.disconnected framework=" + executor->framework().value() + " executor=" + executor->id().value() +
          " reason=" + peer.reason());
  }
}

}  // namespace troupe
