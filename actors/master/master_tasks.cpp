#include "actors/master/decision.hpp"
#include "actors/master/made_status.hpp"
#include "actors/master/master.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"

#include <utility>

namespace troupe {

void master::tell(step& s, const framework& owner, v1::TaskStatus status) {
  if (!owner.connected()) return;
  status.set_state(as_told(status.state(), partition_aware(owner.info)));
  scheduler::Event::Update event;
  *event.mutable_status() = std::move(status);
  s.say(*owner.at, std::move(event));
}

tracked_task& master::add_task(framework& owner, registered_agent& agent, v1::Task task, resources charged) {
  const task_id id = task.task_id();
  tracked_task entry{std::move(task), std::move(charged), std::nullopt};
  charge(agent, entry.charged);
  agent.tasks.emplace(owner.id, id);
  return owner.tasks.emplace(id, std::move(entry)).first->second;
}

void master::set_state(step& s, framework& owner, registered_agent& agent, tracked_task& entry, v1::TaskState state) {
  if (!may_follow(entry.task.state(), state)) return;
  entry.task.set_state(state);
  if (holds_resources(state)) return;
  const auto held = std::exchange(entry.charged, {});
  release(s, owner.id, agent, held);
  if (!is_terminal(state)) return;
  entry.kill.reset();
  deadlines_.clear({due::kill, owner.id.value(), entry.task.task_id().value()});
  s.log(decision("task.ended")
            .with("framework", owner.id)
            .with("task", task_id(entry.task.task_id()))
            .with("agent", agent.id)
            .with("state", short_name(state)));
  end_executor_if_unlisted(s, agent, entry.task);
}

v1::Task master::take_task(step& s, framework& owner, registered_agent& agent, const task_id& id) {
  auto found = owner.tasks.find(id);
  release(s, owner.id, agent, found->second.charged);
  deadlines_.clear({due::kill, owner.id.value(), id.value()});
  auto task = std::move(found->second.task);
  owner.tasks.erase(found);
  agent.tasks.erase({owner.id, id});
  return task;
}

void master::complete_task(step& s, framework& owner, registered_agent& agent, const task_id& id) {
  owner.completed.push(take_task(s, owner, agent, id));
  frameworks_.drop_question(owner, id);
  s.log(decision("task.completed").with("framework", owner.id).with("task", id).with("agent", agent.id));
}

void master::acknowledge_for(step& s, const registered_agent& agent, const internal::StatusUpdated& update,
                             const char* reason) {
  s.log(decision("update.dropped")
            .with("framework", framework_id(update.framework_id()))
            .with("task", task_id(update.status().task_id()))
            .with("agent", agent.id)
            .with("reason", reason));
  internal::AcknowledgeStatus acknowledged;
  *acknowledged.mutable_agent_id() = agent.id.proto();
  *acknowledged.mutable_framework_id() = update.framework_id();
  *acknowledged.mutable_task_id() = update.status().task_id();
  acknowledged.set_uuid(update.status().uuid());
  s.say(agent.at, std::move(acknowledged));
}

void master::handle(step& s, const internal::StatusUpdated& update) {
  if (!agents_.at(s.head.from()) && s.head.from().role() == internal::AGENT) {
    // It believes itself registered; told otherwise it registers again and repeats the update.
    internal::Ping ping;
    ping.set_connected(false);
    s.say(s.head.from(), std::move(ping));
  }
  auto* agent = speaking_agent(s, update.agent_id(), "StatusUpdated");
  if (!agent) return;
  const framework_id owner_id = update.framework_id();
  const task_id id = update.status().task_id();
  if (frameworks_.is_removed(owner_id)) return acknowledge_for(s, *agent, update, "framework_removed");
  auto* owner = frameworks_.find(owner_id);
  if (!owner) {
    s.log(decision("update.dropped").with("framework", owner_id).with("task", id).with("reason", "framework_unknown"));
    return;
  }
  if (!may_come_from_agent(update.status().state()) ||
      (update.has_latest_state() && !may_come_from_agent(update.latest_state())))
    return acknowledge_for(s, *agent, update, "not_a_state_that_an_agent_reports");
  auto known = owner->tasks.find(id);
  if (known != owner->tasks.end() && agent_id(known->second.task.agent_id()) != agent->id)
    return acknowledge_for(s, *agent, update, "its_id_runs_on_another_agent");

  auto status = update.status();
  *status.mutable_agent_id() = agent->id.proto();
  if (!status.has_executor_id() && update.has_executor_id()) *status.mutable_executor_id() = update.executor_id();
  if (!status.has_timestamp()) status.set_timestamp(seconds_of(s.now.wall_now));
  s.log(decision("update.forwarded")
            .with("framework", owner_id)
            .with("task", id)
            .with("agent", agent->id)
            .with("state", short_name(status.state()))
            .with("connected", owner->connected() ? "true" : "false"));
  // One whose task is no longer known is forwarded too: its acknowledgement was lost on the way, and is repeated by the
  // framework.
  if (known != owner->tasks.end()) on_task_reported(s, *owner, *agent, known->second, update, status);
  tell(s, *owner, std::move(status));
}

void master::on_task_reported(step& s, framework& owner, registered_agent& agent, tracked_task& entry,
                              const internal::StatusUpdated& update, const v1::TaskStatus& status) {
  if (entry.task.has_executor_id()) {
    auto executor = agent.executors.find({owner.id, entry.task.executor_id()});
    // An earlier update of a task that has ended since says nothing of its executor.
    const bool lives = !is_terminal(update.has_latest_state() ? update.latest_state() : status.state());
    if (executor != agent.executors.end() && lives) executor->second.unlisted = false;
  }
  remember_status(entry.task, status);
  entry.task.set_status_update_state(status.state());
  entry.task.set_status_update_uuid(status.uuid());
  const bool newer = update.has_latest_state() && !mutated(mutant::latest_state_ignored);
  set_state(s, owner, agent, entry, newer ? update.latest_state() : status.state());
  const bool unacknowledged = status.uuid().empty() || mutated(mutant::lost_before_terminal);
  if (is_terminal(status.state()) && unacknowledged)  // nobody will acknowledge it
    complete_task(s, owner, agent, task_id(status.task_id()));
}

void master::handle(step& s, const scheduler::Call::Acknowledge& call) {
  auto* owner = speaking_framework(s, "Acknowledge");
  if (!owner) return;
  const agent_id on = call.agent_id();
  const task_id id = call.task_id();
  auto* agent = agents_.find(on);
  auto known = owner->tasks.find(id);
  const bool is_known = known != owner->tasks.end();
  const char* reason = nullptr;
  if (call.uuid().size() != 16)
    reason = "uuid_must_have_16_bytes";
  else if (!agent || !agent->connected)
    reason = "agent_not_connected";
  else if (is_known && agent_id(known->second.task.agent_id()) != on)
    reason = "task_is_on_another_agent";
  else if (is_known && known->second.task.status_update_uuid() != call.uuid())
    reason = "not_the_update_that_was_sent";
  if (reason) {
    s.log(decision("acknowledge.dropped").with("framework", owner->id).with("task", id).with("reason", reason));
    return;
  }
  internal::AcknowledgeStatus acknowledged;
  *acknowledged.mutable_agent_id() = call.agent_id();
  *acknowledged.mutable_framework_id() = owner->id.proto();
  *acknowledged.mutable_task_id() = call.task_id();
  acknowledged.set_uuid(call.uuid());
  s.say(agent->at, std::move(acknowledged));
  if (is_known && is_terminal(known->second.task.status_update_state())) complete_task(s, *owner, *agent, id);
}

}  // namespace troupe
