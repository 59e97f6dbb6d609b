#include "actors/master/decision.hpp"
#include "actors/master/master.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"

#include <utility>

namespace troupe {

bool master::has_live_task(const registered_agent& agent, const executor_key& key) const {
  for (auto task = agent.tasks.lower_bound({key.first, task_id()}); task != agent.tasks.end(); ++task) {
    if (task->first != key.first) return false;
    const auto& entry = frameworks_.find(key.first)->tasks.at(task->second);
    if (entry.task.has_executor_id() && executor_id(entry.task.executor_id()) == key.second &&
        !is_terminal(entry.task.state()))
      return true;
  }
  return false;
}

void master::end_executor(step& s, registered_agent& agent, const executor_key& key, const char* reason) {
  auto found = agent.executors.find(key);
  if (found == agent.executors.end()) return;
  const auto held = found->second.charged;
  agent.executors.erase(found);
  s.log(decision("executor.ended")
            .with("framework", key.first)
            .with("executor", key.second)
            .with("agent", agent.id)
            .with("reason", reason));
  release(s, key.first, agent, held);
}

void master::end_executor_if_unlisted(step& s, registered_agent& agent, const v1::Task& last) {
  if (!last.has_executor_id() || mutated(mutant::lost_executor_charged)) return;
  const executor_key key{last.framework_id(), last.executor_id()};
  auto found = agent.executors.find(key);
  if (found != agent.executors.end() && found->second.unlisted && !has_live_task(agent, key))
    end_executor(s, agent, key, "not_reported");
}

void master::handle(step& s, const internal::ExecutorExited& event) {
  auto* agent = speaking_agent(s, event.agent_id(), "ExecutorExited");
  if (!agent) return;
  const executor_key key{event.framework_id(), event.executor_id()};
  const auto found = agent->executors.find(key);
  if (found == agent->executors.end()) return;
  // What lives of it either is about to be told ended, or was launched meanwhile and runs in the next of that id.
  if (has_live_task(*agent, key)) {
    if (std::exchange(found->second.unlisted, true)) return;  // until something is heard of it
  } else {
    end_executor(s, *agent, key, "exited");
  }
  const auto* owner = frameworks_.find(key.first);
  if (!owner || !owner->connected()) return;
  scheduler::Event::Failure failure;
  *failure.mutable_agent_id() = event.agent_id();
  *failure.mutable_executor_id() = event.executor_id();
  failure.set_status(event.status());
  s.say(*owner->at, std::move(failure));
}

void master::handle(step& s, const internal::SendToFramework& message) {
  auto* agent = speaking_agent(s, message.agent_id(), "SendToFramework");
  if (!agent) return;
  const auto* owner = frameworks_.find(framework_id(message.framework_id()));
  if (!owner || !owner->connected()) {
    s.log(decision("message.dropped")
              .with("framework", framework_id(message.framework_id()))
              .with("reason", "framework_not_connected"));
    return;
  }
  scheduler::Event::Message event;
  *event.mutable_agent_id() = message.agent_id();
  *event.mutable_executor_id() = message.executor_id();
  event.set_data(message.data());
  s.say(*owner->at, std::move(event));
}

void master::handle(step& s, const scheduler::Call::Message& call) {
  auto* owner = speaking_framework(s, "Message");
  if (!owner) return;
  const auto* agent = agents_.find(agent_id(call.agent_id()));
  if (!agent || !agent->connected) {
    s.log(decision("message.dropped").with("framework", owner->id).with("reason", "agent_not_connected"));
    return;
  }
  internal::SendToExecutor message;
  *message.mutable_framework_id() = owner->id.proto();
  *message.mutable_executor_id() = call.executor_id();
  message.set_data(call.data());
  s.say(agent->at, std::move(message));
}

void master::handle(step& s, const scheduler::Call::Shutdown& call) {
  auto* owner = speaking_framework(s, "Shutdown");
  if (!owner) return;
  const auto* agent = agents_.find(agent_id(call.agent_id()));
  if (!agent || !agent->connected) {
    s.log(decision("shutdown.ignored").with("framework", owner->id).with("reason", "agent_not_connected"));
    return;
  }
  s.log(decision("executor.shut_down")
            .with("framework", owner->id)
            .with("executor", executor_id(call.executor_id()))
            .with("agent", agent->id));
  internal::ShutdownExecutor shutdown;
  *shutdown.mutable_framework_id() = owner->id.proto();
  *shutdown.mutable_executor_id() = call.executor_id();
  s.say(agent->at, std::move(shutdown));
}

}  // namespace troupe
