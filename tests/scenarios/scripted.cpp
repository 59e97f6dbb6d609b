#include "tests/scenarios/scripted.hpp"

#include "frameworks/sdk/typed_message.hpp"

#include <google/protobuf/wrappers.pb.h>

#include <chrono>
#include <stdexcept>

namespace troupe::testing {

namespace {

template <class Message>
Message read(const std::string& data) {
  Message message;
  if (!message.ParseFromString(data)) throw std::logic_error("a scripted event cannot be read");
  return message;
}

google::protobuf::StringValue text_message(const std::string& text) {
  google::protobuf::StringValue message;
  message.set_value(text);
  return message;
}

template <class Call>
bool is(const std::string& name) {
  return name == Call::descriptor()->full_name();
}

std::optional<agent_id> agent_of(const v1::scheduler::Call::Kill& kill) {
  return kill.has_agent_id() ? std::optional(agent_id(kill.agent_id())) : std::nullopt;
}

std::optional<std::chrono::milliseconds> grace_of(const v1::scheduler::Call::Kill& kill) {
  if (!kill.kill_policy().has_grace_period()) return std::nullopt;
  return std::chrono::milliseconds(kill.kill_policy().grace_period().nanoseconds() / 1000000);
}

std::vector<std::string> roles_of(const google::protobuf::RepeatedPtrField<std::string>& roles) {
  return {roles.begin(), roles.end()};
}

}  // namespace

void scripted_scheduler::on_program_event(sdk::calls& call, const std::string& name, const std::string& data) {
  using Call = troupe::scheduler::Call;
  if (is<Call::Accept>(name)) {
    const auto told = read<Call::Accept>(data);
    std::vector<offer_id> offers(told.offer_ids().begin(), told.offer_ids().end());
    call.accept(offers, {told.operations().begin(), told.operations().end()}, told.filters());
  } else if (is<Call::Decline>(name)) {
    const auto told = read<Call::Decline>(data);
    v1::Offer offer;
    *offer.mutable_id() = told.offer_ids(0);
    call.decline(offer, std::chrono::milliseconds(static_cast<std::int64_t>(told.filters().refuse_seconds() * 1000)));
  } else if (is<Call::Revive>(name)) {
    call.revive(roles_of(read<Call::Revive>(data).roles()));
  } else if (is<Call::Suppress>(name)) {
    call.suppress(roles_of(read<Call::Suppress>(data).roles()));
  } else if (is<Call::Kill>(name)) {
    const auto told = read<Call::Kill>(data);
    call.kill(task_id(told.task_id()), agent_of(told), grace_of(told));
  } else if (is<Call::Reconcile>(name)) {
    const auto told = read<Call::Reconcile>(data);
    std::vector<v1::TaskStatus> asked;
    for (const auto& task : told.tasks()) {
      asked.emplace_back();
      *asked.back().mutable_task_id() = task.task_id();
      if (task.has_agent_id()) *asked.back().mutable_agent_id() = task.agent_id();
      asked.back().set_state(v1::TASK_RUNNING);
    }
    call.reconcile(asked);
  } else if (is<Call::Message>(name)) {
    const auto told = read<Call::Message>(data);
    call.send(agent_id(told.agent_id()), executor_id(told.executor_id()), text_message(told.data()));
  } else if (is<Call::Shutdown>(name)) {
    const auto told = read<Call::Shutdown>(data);
    call.shutdown(agent_id(told.agent_id()), executor_id(told.executor_id()));
  } else if (is<internal::TeardownFramework>(name)) {
    call.teardown(0);
  } else if (name == "exit") {
    call.stop(0);
  } else {
    throw std::logic_error("a scripted scheduler cannot say " + name);
  }
}

void scripted_executor::on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) {
  call.update(task_id(task.task_id()), v1::TASK_RUNNING);
}

void scripted_executor::on_kill(sdk::executor_calls& call, const task_id& task) {
  call.update(task, v1::TASK_KILLED);
}

void scripted_executor::on_program_event(sdk::executor_calls& call, const std::string& name, const std::string& data) {
  if (name == "report") {
    const auto told = read<v1::TaskStatus>(data);
    call.update(task_id(told.task_id()), told.state());
  } else if (name == "send") {
    call.send(text_message(data));
  } else if (name == "exit") {
    call.stop(0);
  } else {
    throw std::logic_error("a scripted executor cannot " + name);
  }
}

}  // namespace troupe::testing
