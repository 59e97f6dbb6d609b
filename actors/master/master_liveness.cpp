#include "actors/master/decision.hpp"
#include "actors/master/made_status.hpp"
#include "actors/master/master.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"
#include "storage/keys.hpp"

namespace troupe {

namespace {

v1::TaskStatus away_status(const v1::Task& task, wall_time since, wall_time now) {
  auto status =
      made_status(task, {v1::TASK_UNREACHABLE, v1::TaskStatus::REASON_AGENT_REMOVED, "the agent is unreachable"}, now);
  *status.mutable_unreachable_time() = time_info(since);
  return status;
}

}  // namespace

void master::handle(step&, const internal::PeerConnected&) {
  // A link alone is no news: agents register and frameworks subscribe over it.
}

void master::handle(step& s, const internal::PeerDisconnected& event) {
  if (auto* agent = agents_.at(event.peer())) return on_agent_link_lost(s, *agent, event.reason());
  if (auto* entry = frameworks_.at(event.peer())) return on_framework_away(s, *entry, "link_lost");
}

void master::handle(step& s, const internal::Pong& pong) {
  auto* agent = speaking_agent(s, pong.agent_id(), "Pong");
  if (!agent || pong.number() > agent->ping_number) return;
  agent->ping_outstanding = false;
  agent->pings_missed = 0;
}

void master::on_ping_due(step& s, registered_agent& agent) {
  if (agent.ping_outstanding) {
    ++agent.pings_missed;
    s.log(decision("agent.ping_missed").with("agent", agent.id).with("missed", agent.pings_missed));
    if (agent.pings_missed >= options_.pings_missed_max) return on_agent_unreachable(s, agent, "pings_missed");
  }
  internal::Ping ping;
  ping.set_connected(agent.connected);
  ping.set_number(++agent.ping_number);
  agent.ping_outstanding = true;
  deadlines_.set({due::ping, agent.id.value()}, s.now.now + options_.ping_interval);
  if (agent.at.role() != internal::NOBODY) s.say(agent.at, std::move(ping));
}

void master::on_agent_link_lost(step& s, registered_agent& agent, const std::string& reason) {
  if (!agent.connected) return;
  agent.connected = false;
  s.log(decision("agent.disconnected").with("agent", agent.id).with("reason", reason));
  set_agent_active(s, agent.id, false);
  if (!mutated(mutant::offers_outlive_link)) rescind_offers_of(s, agent, "agent_disconnected");
  for (const auto& [owner, task] : agent.tasks) deadlines_.clear({due::kill, owner.value(), task.value()});
  deadlines_.set({due::agent_return, agent.id.value()}, s.now.now + options_.agent_reregister_timeout);
}

void master::on_agent_unreachable(step& s, registered_agent& agent, const char* reason) {
  const auto id = agent.id;
  const absent_agent lost{agent.info, agent.at, s.now.wall_now};
  remember_agent(s, lost, internal::AgentRecord::UNREACHABLE);
  s.log(decision("agent.unreachable").with("agent", id).with("reason", reason).with("tasks", agent.tasks.size()));

  set_agent_active(s, id, false);
  rescind_offers_of(s, agent, "agent_unreachable");
  const std::set<task_key> tasks = agent.tasks;
  for (const auto& [owner_id, task] : tasks) {
    auto& owner = *frameworks_.find(owner_id);
    auto& entry = owner.tasks.at(task);
    const bool ended = is_terminal(entry.task.state()) && !mutated(mutant::ended_task_called_unreachable);
    if (ended) {                                     // its agent sends the last update again if it comes back
      if (!is_terminal(reported_state(entry.task)))  // what was said of it before it ended
        tell(s, owner, away_status(entry.task, lost.since, s.now.wall_now));
      entry.task.clear_status_update_uuid();  // not acknowledged
      complete_task(s, owner, agent, task);
      continue;
    }
    auto status = away_status(entry.task, lost.since, s.now.wall_now);
    set_state(s, owner, agent, entry, v1::TASK_UNREACHABLE);
    remember_status(entry.task, status);
    entry.task.clear_status_update_state();
    entry.task.clear_status_update_uuid();
    const auto kill = entry.kill;
    owner.unreachable.push(take_task(s, owner, agent, task));
    if (kill) kill_when_back(s, owner, task, kill->policy);
    forget_away_kills(owner);
    tell(s, owner, std::move(status));
  }
  clear_agent(s, agent);
  agents_.add_unreachable(lost);
  tell_agent_lost(s, id);
}

void master::clear_agent(step& s, registered_agent& agent) {
  while (!agent.executors.empty()) {
    const auto key = agent.executors.begin()->first;
    end_executor(s, agent, key, "agent_left");
  }
  internal::RemoveAgent remove;
  *remove.mutable_agent_id() = agent.id.proto();
  tell_allocator(s, std::move(remove));
  deadlines_.clear({due::ping, agent.id.value()});
  deadlines_.clear({due::agent_return, agent.id.value()});
}

void master::tell_agent_lost(step& s, const agent_id& agent) {
  for (const auto& [id, entry] : frameworks_.live()) {
    if (!entry.connected()) continue;
    scheduler::Event::Failure failure;
    *failure.mutable_agent_id() = agent.proto();
    s.say(*entry.at, std::move(failure));
  }
}

void master::on_recovered_agents_overdue(step& s) {
  const auto missing = agents_.recovered();
  for (const auto& [id, agent] : missing) {
    const absent_agent lost{agent.info, agent.at, s.now.wall_now};
    remember_agent(s, lost, internal::AgentRecord::UNREACHABLE);
    s.log(decision("agent.unreachable").with("agent", id).with("reason", "did_not_return_to_this_master"));
    agents_.add_unreachable(lost);
    tell_agent_lost(s, id);
  }
}

void master::on_registry_gc_due(step& s) {
  deadlines_.set({due::registry_gc}, s.now.now + options_.registry_gc_interval);
  const auto oldest = s.now.wall_now - options_.registry_max_age;
  for (const auto& id : agents_.prune(oldest, options_.registry_max_count)) {
    s.erase(keys::master_agent(id));
    s.log(decision("agent.forgotten").with("agent", id));
  }
  for (const auto& id : frameworks_.prune_removed(oldest, options_.registry_max_count)) {
    s.erase(keys::master_framework(id));
    s.log(decision("framework.forgotten").with("framework", id));
  }
}

}  // namespace troupe
