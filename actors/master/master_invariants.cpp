#include "actors/master/master.hpp"
#include "protocol/task_state.hpp"

#include <stdexcept>
#include <string>

namespace troupe {

namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw std::logic_error(what);
}

}  // namespace

void master::check_invariants() const {
  agents_.check_invariants();
  frameworks_.check_invariants();
  std::map<agent_id, resources> used;
  std::map<agent_id, resources> offered;
  std::size_t tasks = 0;
  for (const auto& [owner, entry] : frameworks_.live()) {
    const bool waits = wall_deadlines_.of({due::framework_return, owner.value()}).has_value();
    // Between remember() and the first step recovered frameworks may wait for their deadline.
    require(ids_.cluster().empty() || waits != entry.connected(),
            "framework " + owner.value() + " must have a deadline to come back exactly while it is not connected");
    for (const auto& [id, task] : entry.tasks) {
      const auto of = "task " + id.value() + " of framework " + owner.value();
      const auto* agent = agents_.find(agent_id(task.task.agent_id()));
      require(agent != nullptr, of + " runs on agent " + task.task.agent_id().value() + ", which is not registered");
      require(agent->tasks.count({owner, id}) == 1, of + " is not listed by its agent " + agent->id.value());
      require(holds_resources(task.task.state()) || task.charged.empty(), of + " has ended and still holds resources");
      require(task.task.state() != v1::TASK_UNREACHABLE, of + " is unreachable and on a registered agent");
      require(!entry.unreachable.find(id), of + " is tracked and unreachable at once");
      require(!task.kill || !is_terminal(task.task.state()), of + " has ended and is still to be killed");
      const bool retries = deadlines_.of({due::kill, owner.value(), id.value()}).has_value();
      require(retries == (task.kill && agent->connected),
              of + " must have a kill to repeat exactly while it is to be killed");
      used[agent->id] += task.charged.unallocated();
      ++tasks;
    }
    for (const auto& [id, policy] : entry.away_kills)
      require(entry.unreachable.find(id) != nullptr,
              "a kill of task " + id.value() + " of framework " + owner.value() + " waits, and the task is not away");
  }
  for (const auto& [id, open] : offers_.all()) {
    const auto* to = frameworks_.find(open.framework);
    const auto* agent = agents_.find(open.agent);
    require(to && to->connected(),
            "offer " + id.value() + " is made to framework " + open.framework.value() + ", which is away");
    require(agent && agent->connected,
            "offer " + id.value() + " is of agent " + open.agent.value() + ", which is away");
    const bool expires = deadlines_.of({due::offer, id.value()}).has_value();
    require(expires == options_.offer_timeout.has_value(), "offer " + id.value() + " must expire exactly if offers do");
    offered[open.agent] += open.what.unallocated();
  }
  for (const auto& [id, agent] : agents_.registered()) {
    for (const auto& [key, executor] : agent.executors) {
      require(frameworks_.find(key.first) != nullptr,
              "executor " + key.second.value() + " on agent " + id.value() + " belongs to no framework");
      used[id] += executor.charged.unallocated();
    }
    require(tasks >= agent.tasks.size(), "agent " + id.value() + " lists tasks that no framework has");
    tasks -= agent.tasks.size();
    require(agent.used == used[id], "agent " + id.value() + " counts " + agent.used.text() +
                                        " used, its tasks and executors " + used[id].text());
    require(agent.offered == offered[id],
            "agent " + id.value() + " counts " + agent.offered.text() + " offered, its offers " + offered[id].text());
    require(
        agent.total.contains(agent.used + agent.offered),
        "agent " + id.value() + " has " + agent.total.text() + " and gave away " + (agent.used + agent.offered).text());
    require(deadlines_.of({due::ping, id.value()}).has_value(), "agent " + id.value() + " is not pinged");
    require(deadlines_.of({due::agent_return, id.value()}).has_value() != agent.connected,
            "agent " + id.value() + " must have a deadline to come back exactly while it is not connected");
  }
  require(tasks == 0, "tasks are listed by more than one agent");
}

}  // namespace troupe
