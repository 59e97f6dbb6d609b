#include "actors/executor/executor.hpp"

#include "actors/runtime/uuid.hpp"
#include "protocol/task_state.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

executor::executor(executor_options options) : options_(std::move(options)) {}

outbox executor::on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
  outbox out;
  step s{head, now, out};
  dispatch(*this, s, body);
  out.wake_at = next_deadline();
  return out;
}

moment executor::next_deadline() const {
  moment next;
  if (state_.has_subscribe_deadline_ns()) next = monotonic_at(state_.subscribe_deadline_ns());
  for (const auto& t : state_.tasks()) {
    if (t.has_completion_deadline_ns()) next = earliest(next, monotonic_at(t.completion_deadline_ns()));
    if (t.has_stop_deadline_ns()) next = earliest(next, monotonic_at(t.stop_deadline_ns()));
  }
  return next;
}

void executor::handle(step& s, const internal::Recovered&) {
  subscribe(s);
}

void executor::handle(step& s, const internal::TimerFired&) {
  if (state_.has_subscribe_deadline_ns() && monotonic_at(state_.subscribe_deadline_ns()) <= s.now.now) subscribe(s);
  for (auto& t : *state_.mutable_tasks()) on_task_timer(s, t);
}

/// An agent that is started again beside us comes with a containerizer that may never have heard of our launches.
void executor::handle(step& s, const internal::PeerConnected& peer) {
  if (!same(peer.peer(), options_.agent)) return;
  subscribe(s);
  for (auto& t : *state_.mutable_tasks()) {
    if (t.launched()) continue;
    launch(s, t);
    kill_again(s, t);
  }
}

void executor::handle(step& s, const internal::PeerDisconnected& peer) {
  if (!same(peer.peer(), options_.agent)) return;
  state_.set_subscribed(false);
  state_.clear_subscribe_deadline_ns();
  s.log("executor.disconnected container=" + options_.spawn.container_id().value());
}

/// Asks until it is answered; whatever is not acknowledged travels along.
void executor::subscribe(step& s) {
  state_.set_subscribed(false);
  state_.set_subscribe_deadline_ns(nanoseconds_of(s.now.now + options_.subscribe_retry));
  executor_api::Call::Subscribe call;
  for (const auto& t : state_.tasks()) *call.add_unacknowledged_tasks() = t.info();
  for (const auto& status : state_.unacknowledged()) *call.add_unacknowledged_updates()->mutable_status() = status;
  s.say(options_.agent, std::move(call));
}

void executor::handle(step& s, const executor_api::Event::Subscribed&) {
  if (state_.subscribed()) return;
  state_.set_subscribed(true);
  state_.clear_subscribe_deadline_ns();
  s.log("executor.subscribed container=" + options_.spawn.container_id().value());
  // What came with the subscription is acknowledged before it is answered: these were reported in between.
  for (const auto& status : state_.unacknowledged()) {
    executor_api::Call::Update update;
    *update.mutable_status() = status;
    s.say(options_.agent, std::move(update));
  }
}

void executor::handle(step& s, const executor_api::Event::Acknowledged& acknowledged) {
  auto& waiting = *state_.mutable_unacknowledged();
  auto it = std::find_if(waiting.begin(), waiting.end(), [&](const v1::TaskStatus& status) {
    return status.uuid() == acknowledged.uuid() && status.task_id().value() == acknowledged.task_id().value();
  });
  if (it == waiting.end()) return;
  const bool ends = is_terminal(it->state());
  waiting.erase(it);
  if (ends) release_further(s, acknowledged.task_id());
  if (state_.tasks().empty() && waiting.empty())
    s.log("executor.spent container=" + options_.spawn.container_id().value());
}

void executor::handle(step& s, const executor_api::Event::Message& message) {
  s.log("executor.message_ignored container=" + options_.spawn.container_id().value() +
        " bytes=" + std::to_string(message.data().size()) + " reason=a_command_takes_no_messages");
}

void executor::handle(step& s, const executor_api::Event::Error& error) {
  s.log("executor.refused container=" + options_.spawn.container_id().value() + " message=" + error.message());
}

void executor::report(step& s, const task_id& id, v1::TaskStatus status) {
  *status.mutable_task_id() = id.proto();
  *status.mutable_executor_id() = options_.spawn.info().executor_id();
  *status.mutable_container_status()->mutable_container_id() = options_.spawn.container_id();
  status.set_source(v1::TaskStatus::SOURCE_EXECUTOR);
  status.set_timestamp(seconds_of(s.now.wall_now));
  // Each state is reported once, so this names the report; a later incarnation gives it the same name.
  status.set_uuid(named_bytes16(options_.spawn.container_id().value() + "/" + id.value() + "/" +
                                v1::TaskState_Name(status.state())));
  *state_.add_unacknowledged() = status;
  if (!state_.subscribed()) return;  // the next subscription carries it
  executor_api::Call::Update update;
  *update.mutable_status() = std::move(status);
  s.say(options_.agent, std::move(update));
}

void executor::report_state(step& s, task& t, v1::TaskState state) {
  t.set_state(state);
  v1::TaskStatus status;
  status.set_state(state);
  report(s, t.info().task_id(), std::move(status));
}

}  // namespace troupe
