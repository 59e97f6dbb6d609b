#include "frameworks/sdk/executor_core.hpp"

#include "frameworks/sdk/typed_message.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe::sdk {

void executor_calls::update(const task_id& task, v1::TaskState state, const std::string& message,
                            const std::string& data) {
  v1::TaskStatus status;
  *status.mutable_task_id() = task.proto();
  status.set_state(state);
  status.set_source(v1::TaskStatus::SOURCE_EXECUTOR);
  if (!message.empty()) status.set_message(message);
  if (!data.empty()) status.set_data(data);
  updates_.push_back(std::move(status));
}

void executor_calls::send(const google::protobuf::Message& message) {
  v1::executor::Call::Message out;
  out.set_data(pack(message));
  // The address is filled in by executor_core, which alone knows where the link leads.
  step_.say(Address(), std::move(out));
}

executor_core::executor_core(std::shared_ptr<executor> logic, executor_core_options options)
    : logic_(std::move(logic)), options_(std::move(options)) {}

outbox executor_core::on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
  outbox out;
  if (ended_) return out;
  step s{head, now, out};
  dispatch(*this, s, body);
  if (exit_code_ && (unacknowledged_updates_.empty() || mutated(mutant::executor_ends_unheard))) end(s);
  if (ended_) return out;
  for (auto wish : {subscribe_at_, give_up_at_})
    if (wish && (!out.wake_at || *wish < *out.wake_at)) out.wake_at = wish;
  return out;
}

void executor_core::end(step& s) {
  ended_ = true;
  internal::ProgramEvent exit;
  exit.set_name("exit");
  exit.set_data(std::to_string(exit_code_.value_or(0)));
  s.say(address(internal::RUNTIME, "local"), std::move(exit));
}

/// Runs one event of the executor and sends what it reported: every update gets its ids, its time and a fresh uuid, and
/// is kept until it is acknowledged.
template <class Event>
void executor_core::tell(step& s, Event event) {
  std::vector<v1::TaskStatus> updates;
  bool was_ending = exit_code_.has_value();
  auto first_letter = s.out.letters.size();
  executor_calls call(s, updates, exit_code_);
  event(call);
  for (auto i = first_letter; i < s.out.letters.size(); ++i) s.out.letters[i].to = agent_;
  random_stream random(s.now.random_seed);
  for (auto& status : updates) {
    *status.mutable_executor_id() = options_.executor_id;
    status.set_timestamp(std::chrono::duration<double>(s.now.wall_now.time_since_epoch()).count());
    status.set_uuid(random.bytes16());
    if (subscribed_) say_update(s, status);
    unacknowledged_updates_.push_back(std::move(status));
  }
  if (exit_code_ && !was_ending) give_up_at_ = s.now.now + options_.linger;
}

void executor_core::say_update(step& s, const v1::TaskStatus& status) {
  v1::executor::Call::Update update;
  *update.mutable_status() = status;
  s.say(agent_, std::move(update));
}

void executor_core::subscribe(step& s) {
  v1::executor::Call::Subscribe call;
  for (const auto& task : unacknowledged_tasks_)
    if (!mutated(mutant::unacknowledged_tasks_unsaid)) *call.add_unacknowledged_tasks() = task;
  for (const auto& status : unacknowledged_updates_) *call.add_unacknowledged_updates()->mutable_status() = status;
  if (mutated(mutant::updates_resent_backwards))
    std::reverse(call.mutable_unacknowledged_updates()->begin(), call.mutable_unacknowledged_updates()->end());
  s.say(agent_, std::move(call));
  subscribe_at_ = s.now.now + options_.subscribe_retry;
}

void executor_core::handle(step& s, const internal::Recovered&) {
  give_up_at_ = s.now.now + options_.recovery_timeout;
}

void executor_core::handle(step& s, const internal::TimerFired&) {
  if (subscribe_at_ && s.now.now >= *subscribe_at_) {
    subscribe_at_.reset();
    if (!agent_.id().empty()) subscribe(s);
  }
  if (give_up_at_ && s.now.now >= *give_up_at_) {
    if (!exit_code_) {
      s.log("executor.gives_up executor=" + options_.executor_id.value() + " reason=agent_away");
      tell(s, [this](executor_calls& call) { logic_->on_shutdown(call); });
      exit_code_ = 1;
    }
    end(s);
  }
}

void executor_core::handle(step& s, const internal::PeerConnected& m) {
  if (m.peer().role() != internal::AGENT) return;
  agent_ = m.peer();
  subscribed_ = false;
  if (!exit_code_) give_up_at_.reset();
  subscribe(s);
}

void executor_core::handle(step& s, const internal::PeerDisconnected& m) {
  if (!same(m.peer(), agent_)) return;
  agent_.Clear();
  subscribed_ = false;
  subscribe_at_.reset();
  if (!exit_code_) give_up_at_ = s.now.now + options_.recovery_timeout;
}

void executor_core::handle(step& s, const internal::ProgramEvent& m) {
  tell(s, [&](executor_calls& call) { logic_->on_program_event(call, m.name(), m.data()); });
}

void executor_core::handle(step& s, const v1::executor::Event::Subscribed& m) {
  subscribe_at_ = s.now.now + options_.check_in;
  if (subscribed_) return;
  subscribed_ = true;
  // What came with the subscription is acknowledged before it is answered: these were reported in between.
  for (const auto& status : unacknowledged_updates_) say_update(s, status);
  tell(s, [&](executor_calls& call) { logic_->on_subscribed(call, m); });
}

void executor_core::handle(step& s, const v1::executor::Event::Launch& m) {
  const bool known = !launched_.insert(m.task().task_id().value()).second;
  if (known && !mutated(mutant::launch_said_twice_runs_twice)) return;
  unacknowledged_tasks_.push_back(m.task());
  tell(s, [&](executor_calls& call) { logic_->on_launch(call, m.task()); });
}

void executor_core::handle(step& s, const v1::executor::Event::Kill& m) {
  tell(s, [&](executor_calls& call) { logic_->on_kill(call, m.task_id()); });
}

void executor_core::handle(step&, const v1::executor::Event::Acknowledged& m) {
  auto& updates = unacknowledged_updates_;
  for (const auto& u : updates)
    // From now on the agent never launches it again, unless another task gets its name.
    if (u.uuid() == m.uuid() && is_terminal(u.state())) launched_.erase(m.task_id().value());
  updates.erase(std::remove_if(updates.begin(), updates.end(), [&](const auto& u) { return u.uuid() == m.uuid(); }),
                updates.end());
  auto& tasks = unacknowledged_tasks_;
  tasks.erase(std::remove_if(tasks.begin(), tasks.end(),
                             [&](const auto& t) { return t.task_id().value() == m.task_id().value(); }),
              tasks.end());
}

void executor_core::handle(step& s, const v1::executor::Event::Message& m) {
  tell(s, [&](executor_calls& call) { logic_->on_message(call, m.data()); });
}

void executor_core::handle(step& s, const v1::executor::Event::Error& m) {
  s.log("executor.refused executor=" + options_.executor_id.value() + " message=" + m.message());
  exit_code_ = 1;
  unacknowledged_updates_.clear();
}

void executor_core::handle(step& s, const internal::ShutdownExecutor&) {
  tell(s, [this](executor_calls& call) {
    logic_->on_shutdown(call);
    call.stop(0);
  });
}

internal::CustomExecutorState executor_core::save() const {
  internal::CustomExecutorState state;
  state.set_linked(!agent_.id().empty());
  if (!agent_.id().empty()) *state.mutable_agent() = agent_;
  state.set_subscribed(subscribed_);
  state.set_ended(ended_);
  if (subscribe_at_) state.set_subscribe_at_ns(subscribe_at_->time_since_epoch().count());
  if (give_up_at_) state.set_give_up_at_ns(give_up_at_->time_since_epoch().count());
  if (exit_code_) state.set_exit_code(*exit_code_);
  for (const auto& task : launched_) state.add_launched(task);
  for (const auto& task : unacknowledged_tasks_) *state.add_unacknowledged_tasks() = task;
  for (const auto& status : unacknowledged_updates_) *state.add_unacknowledged_updates() = status;
  return state;
}

void executor_core::load(const internal::CustomExecutorState& state) {
  auto time = [](std::int64_t ns) { return monotonic_time(std::chrono::nanoseconds(ns)); };
  agent_ = state.agent();
  subscribed_ = state.subscribed();
  ended_ = state.ended();
  subscribe_at_ = state.has_subscribe_at_ns() ? std::optional(time(state.subscribe_at_ns())) : std::nullopt;
  give_up_at_ = state.has_give_up_at_ns() ? std::optional(time(state.give_up_at_ns())) : std::nullopt;
  exit_code_ = state.has_exit_code() ? std::optional<int>(state.exit_code()) : std::nullopt;
  launched_ = {state.launched().begin(), state.launched().end()};
  unacknowledged_tasks_.assign(state.unacknowledged_tasks().begin(), state.unacknowledged_tasks().end());
  unacknowledged_updates_.assign(state.unacknowledged_updates().begin(), state.unacknowledged_updates().end());
}

std::shared_ptr<const google::protobuf::Message> executor_core::look(const std::string&) const {
  return std::make_shared<internal::CustomExecutorState>(save());
}

void executor_core::check_invariants() const {
  if (subscribed_ && agent_.id().empty())
    throw std::logic_error("executor " + options_.executor_id.value() + " is subscribed without a link");
}

}  // namespace troupe::sdk
