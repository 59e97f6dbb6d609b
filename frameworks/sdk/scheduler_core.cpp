#include "frameworks/sdk/scheduler_core.hpp"

#include "frameworks/sdk/typed_message.hpp"
#include "protocol/mutant.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <iostream>
#include <stdexcept>

namespace troupe::sdk {

namespace {

const std::string self_key = keys::path({"framework", "self"});

std::chrono::milliseconds backoff(const scheduler_core_options& options, unsigned attempts) {
  auto wait = options.subscribe_retry * (1u << std::min(attempts, 16u));
  return std::min<std::chrono::milliseconds>(wait, options.subscribe_retry_max);
}

}  // namespace

scheduler_core::scheduler_core(std::shared_ptr<scheduler> logic, scheduler_core_options options)
    : logic_(std::move(logic)), options_(std::move(options)) {}

void scheduler_core::remember(std::string_view key, std::string_view record) {
  if (key == self_key) {
    internal::FrameworkSelfRecord self;
    if (auto parsed = decode_record(record, self); parsed && !mutated(mutant::framework_id_forgotten))
      id_ = self.framework_id();
    return;
  }
  auto parts = keys::components(key);
  if (parts.size() == 3 && parts[1] == "app") logic_->remember(parts[2], record);
}

template <class Event>
void scheduler_core::tell(step& s, Event event) {
  auto first_letter = s.out.letters.size();
  calls call(s, id_, logic_wake_, exit_code_);
  event(call);
  note_questions(s, first_letter);
}

/// What the scheduler asked about by name in this step.
void scheduler_core::note_questions(step& s, std::size_t first_letter) {
  using question = v1::scheduler::Call::Reconcile;
  const bool none_before = unanswered_.empty();
  for (auto i = first_letter; i < s.out.letters.size(); ++i) {
    const auto& said = s.out.letters[i];
    if (said.verb != verb_number<question>::value) continue;
    for (const auto& task : static_cast<const question&>(*said.body).tasks())
      unanswered_[task_id(task.task_id())] = task;
  }
  // Whoever asks all the time neither puts off what was asked before nor has it asked all the time.
  if (!none_before || unanswered_.empty()) return;
  ask_pause_ = options_.reconcile_retry;
  ask_at_ = s.now.now + ask_pause_;
}

void scheduler_core::ask_again(step& s) {
  v1::scheduler::Call::Reconcile call;
  for (const auto& [id, task] : unanswered_) *call.add_tasks() = task;
  s.log("framework.asks_again framework=" + id_.value() + " tasks=" + std::to_string(unanswered_.size()));
  s.say(leader(), std::move(call));
  ask_pause_ = std::min<std::chrono::nanoseconds>(ask_pause_ * 2, options_.reconcile_retry_max);
  ask_at_ = s.now.now + ask_pause_;
}

/// With the subscription they were asked in; the scheduler asks anew in the next.
void scheduler_core::forget_questions() {
  unanswered_.clear();
  ask_at_.reset();
}

outbox scheduler_core::on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
  outbox out;
  if (done_) return out;
  step s{head, now, out};
  dispatch(*this, s, body);
  for (auto wish : {subscribe_at_, logic_wake_, ask_at_})
    if (wish && (!out.wake_at || *wish < *out.wake_at)) out.wake_at = wish;
  if (exit_code_) {
    done_ = true;
    out.wake_at.reset();
    internal::ProgramEvent exit;
    exit.set_name("exit");
    exit.set_data(std::to_string(*exit_code_));
    s.say(address(internal::RUNTIME, "local"), std::move(exit));
  }
  return out;
}

void scheduler_core::subscribe(step& s) {
  v1::scheduler::Call::Subscribe call;
  *call.mutable_framework_info() = logic_->describe();
  if (!id_.empty()) *call.mutable_framework_info()->mutable_id() = id_.proto();
  s.say(leader(), std::move(call));
  subscribe_at_ = s.now.now + backoff(options_, attempts_++);
}

void scheduler_core::handle(step&, const internal::Recovered&) {}

void scheduler_core::handle(step& s, const internal::TimerFired&) {
  if (subscribe_at_ && s.now.now >= *subscribe_at_) {
    subscribe_at_.reset();
    if (linked_ && !subscribed_) subscribe(s);
  }
  if (ask_at_ && s.now.now >= *ask_at_) ask_again(s);
  if (logic_wake_ && s.now.now >= *logic_wake_) {
    logic_wake_.reset();
    tell(s, [this](calls& call) { logic_->on_timer(call); });
  }
}

void scheduler_core::handle(step& s, const internal::PeerConnected& m) {
  if (m.peer().role() != internal::MASTER) return;
  linked_ = true;
  subscribed_ = false;
  forget_questions();
  attempts_ = 0;
  subscribe(s);
}

void scheduler_core::handle(step& s, const internal::PeerDisconnected& m) {
  if (m.peer().role() != internal::MASTER) return;
  bool was_subscribed = subscribed_;
  linked_ = subscribed_ = false;
  forget_questions();
  subscribe_at_.reset();
  s.log("framework.disconnected framework=" + id_.value() + " reason=" + m.reason());
  if (was_subscribed) tell(s, [this](calls& call) { logic_->on_disconnected(call); });
}

void scheduler_core::handle(step& s, const internal::ProgramEvent& m) {
  tell(s, [&](calls& call) { logic_->on_program_event(call, m.name(), m.data()); });
}

void scheduler_core::handle(step& s, const v1::scheduler::Event::Subscribed& m) {
  if (subscribed_) return;  // an earlier Subscribe was answered late
  subscribed_ = true;
  subscribe_at_.reset();
  if (id_ != framework_id(m.framework_id())) {
    id_ = m.framework_id();
    internal::FrameworkSelfRecord self;
    *self.mutable_framework_id() = m.framework_id();
    s.put(self_key, self);
  }
  s.log("framework.subscribed framework=" + id_.value());
  tell(s, [this](calls& call) {
    if (!mutated(mutant::subscribes_without_asking)) call.reconcile();
    logic_->on_subscribed(call);
  });
}

void scheduler_core::handle(step& s, const v1::scheduler::Event::Offers& m) {
  if (!subscribed_) return;  // void: offers die with the subscription
  std::vector<v1::Offer> offers(m.offers().begin(), m.offers().end());
  tell(s, [&](calls& call) { logic_->on_offers(call, offers); });
}

void scheduler_core::handle(step& s, const v1::scheduler::Event::Rescind& m) {
  tell(s, [&](calls& call) { logic_->on_rescinded(call, m.offer_id()); });
}

void scheduler_core::handle(step& s, const v1::scheduler::Event::Update& m) {
  // Before the scheduler hears it, who may ask again.
  unanswered_.erase(task_id(m.status().task_id()));
  if (mutated(mutant::one_answer_ends_all_questions)) unanswered_.clear();
  if (unanswered_.empty()) ask_at_.reset();
  tell(s, [&](calls& call) { logic_->on_status(call, m.status()); });
  if (m.status().uuid().empty()) return;  // from the master: nobody waits for an answer
  v1::scheduler::Call::Acknowledge ack;
  *ack.mutable_agent_id() = m.status().agent_id();
  *ack.mutable_task_id() = m.status().task_id();
  ack.set_uuid(m.status().uuid());
  s.say(leader(), std::move(ack));
}

void scheduler_core::handle(step& s, const v1::scheduler::Event::UpdateOperationStatus& m) {
  s.log("framework.operation_refused operation=" + m.status().operation_id().value() +
        " message=" + m.status().message());
}

void scheduler_core::handle(step& s, const v1::scheduler::Event::Message& m) {
  tell(s, [&](calls& call) { logic_->on_message(call, m.agent_id(), m.executor_id(), m.data()); });
}

void scheduler_core::handle(step& s, const v1::scheduler::Event::Failure& m) {
  tell(s, [&](calls& call) { logic_->on_failure(call, m); });
}

void scheduler::on_error(calls&, const std::string& message) {
  std::cerr << "framework: the master refuses it: " << message << std::endl;
}

void scheduler_core::handle(step& s, const v1::scheduler::Event::Error& m) {
  subscribed_ = false;
  forget_questions();
  subscribe_at_.reset();
  s.log("framework.refused framework=" + id_.value() + " message=" + m.message());
  tell(s, [&](calls& call) { logic_->on_error(call, m.message()); });
  if (!exit_code_) exit_code_ = 1;
}

internal::SchedulerState scheduler_core::save() const {
  internal::SchedulerState state;
  if (!id_.empty()) *state.mutable_framework_id() = id_.proto();
  state.set_linked(linked_);
  state.set_subscribed(subscribed_);
  state.set_done(done_);
  if (subscribe_at_) state.set_subscribe_at_ns(subscribe_at_->time_since_epoch().count());
  state.set_attempts(attempts_);
  if (logic_wake_) state.set_logic_wake_at_ns(logic_wake_->time_since_epoch().count());
  for (const auto& [id, task] : unanswered_) *state.add_unanswered() = task;
  if (ask_at_) state.set_ask_at_ns(ask_at_->time_since_epoch().count());
  state.set_ask_pause_ns(ask_pause_.count());
  if (exit_code_) state.set_exit_code(*exit_code_);
  return state;
}

void scheduler_core::load(const internal::SchedulerState& state) {
  auto time = [](std::int64_t ns) { return monotonic_time(std::chrono::nanoseconds(ns)); };
  id_ = state.has_framework_id() ? framework_id(state.framework_id()) : framework_id();
  linked_ = state.linked();
  subscribed_ = state.subscribed();
  done_ = state.done();
  subscribe_at_ = state.has_subscribe_at_ns() ? std::optional(time(state.subscribe_at_ns())) : std::nullopt;
  attempts_ = state.attempts();
  logic_wake_ = state.has_logic_wake_at_ns() ? std::optional(time(state.logic_wake_at_ns())) : std::nullopt;
  unanswered_.clear();
  for (const auto& task : state.unanswered()) unanswered_[task_id(task.task_id())] = task;
  ask_at_ = state.has_ask_at_ns() ? std::optional(time(state.ask_at_ns())) : std::nullopt;
  ask_pause_ = std::chrono::nanoseconds(state.ask_pause_ns());
  exit_code_ = state.has_exit_code() ? std::optional<int>(state.exit_code()) : std::nullopt;
}

std::shared_ptr<const google::protobuf::Message> scheduler_core::look(const std::string&) const {
  return std::make_shared<internal::SchedulerState>(save());
}

void scheduler_core::check_invariants() const {
  if (subscribed_ && !linked_) throw std::logic_error("framework " + id_.value() + " is subscribed without a link");
  if (subscribed_ && id_.empty()) throw std::logic_error("a framework is subscribed without an id");
  if (unanswered_.empty() == ask_at_.has_value())
    throw std::logic_error("framework " + id_.value() + " has questions that it will not ask again, or none to ask");
}

}  // namespace troupe::sdk
