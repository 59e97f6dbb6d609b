#include "actors/master/agent_table.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe {

registered_agent* agent_table::find(const agent_id& id) {
  auto found = registered_.find(id);
  return found == registered_.end() ? nullptr : &found->second;
}

const registered_agent* agent_table::find(const agent_id& id) const {
  auto found = registered_.find(id);
  return found == registered_.end() ? nullptr : &found->second;
}

registered_agent* agent_table::at(const Address& where) {
  auto found = by_address_.find(where);
  return found == by_address_.end() ? nullptr : find(found->second);
}

std::optional<agent_id> agent_table::last_at(const Address& where) const {
  auto found = by_address_.find(where);
  if (found == by_address_.end()) return std::nullopt;
  return found->second;
}

void agent_table::bind(const agent_id& id, const Address& where) {
  if (where.role() == internal::NOBODY) return;
  auto former = by_address_.find(where);
  if (former != by_address_.end() && former->second != id) displace(former->second);
  by_address_[where] = id;
}

void agent_table::displace(const agent_id& id) {
  if (auto* registered = find(id)) registered->at.Clear();
  for (auto* where : {&recovered_, &unreachable_})
    if (auto found = where->find(id); found != where->end()) found->second.at.Clear();
}

void agent_table::unbind(const agent_id& id, const Address& where) {
  auto found = by_address_.find(where);
  if (found != by_address_.end() && found->second == id) by_address_.erase(found);
}

registered_agent& agent_table::admit(registered_agent agent) {
  erase(agent.id);
  bind(agent.id, agent.at);
  auto id = agent.id;
  return registered_.emplace(std::move(id), std::move(agent)).first->second;
}

void agent_table::move(registered_agent& agent, const Address& to) {
  unbind(agent.id, agent.at);
  agent.at = to;
  bind(agent.id, to);
}

void agent_table::add_absent(absent_agents& where, absent_agent agent) {
  const agent_id id = agent.info.id();
  erase(id);
  if (&where != &gone_) bind(id, agent.at);
  where.emplace(id, std::move(agent));
}

void agent_table::erase(const agent_id& id) {
  if (auto* agent = find(id)) {
    unbind(id, agent->at);
    registered_.erase(id);
  }
  for (auto* where : {&recovered_, &unreachable_, &gone_}) {
    auto found = where->find(id);
    if (found == where->end()) continue;
    unbind(id, found->second.at);
    where->erase(found);
  }
}

std::vector<agent_id> agent_table::prune(wall_time oldest, std::size_t count_max) {
  std::vector<agent_id> forgotten;
  for (const auto* where : {&unreachable_, &gone_}) {
    std::vector<std::pair<wall_time, agent_id>> by_age;
    for (const auto& [id, agent] : *where) by_age.emplace_back(agent.since, id);
    std::sort(by_age.begin(), by_age.end());
    const auto excess = by_age.size() > count_max ? by_age.size() - count_max : 0;
    for (std::size_t i = 0; i < by_age.size(); ++i)
      if (i < excess || by_age[i].first < oldest) forgotten.push_back(by_age[i].second);
  }
  for (const auto& id : forgotten) erase(id);
  return forgotten;
}

void agent_table::check_invariants() const {
  for (const auto& [id, agent] : registered_) {
    if (recovered_.count(id) + unreachable_.count(id) + gone_.count(id) != 0)
      throw std::logic_error("agent " + id.value() + " is registered and absent at once");
    if (agent.id != id || agent_id(agent.info.id()) != id)
      throw std::logic_error("agent " + id.value() + " is kept under another id than its own");
    if (agent.at.role() != internal::NOBODY && last_at(agent.at) != id)
      throw std::logic_error("the address of agent " + id.value() + " leads to another one");
  }
  for (const auto* where : {&recovered_, &unreachable_})
    for (const auto& [id, agent] : *where)
      if (agent.at.role() != internal::NOBODY && last_at(agent.at) != id)
        throw std::logic_error("the address of absent agent " + id.value() + " leads to another one");
  for (const auto& [id, agent] : recovered_)
    if (unreachable_.count(id) + gone_.count(id) != 0)
      throw std::logic_error("agent " + id.value() + " is recovered and lost at once");
  for (const auto& [where, id] : by_address_)
    if (registered_.count(id) + recovered_.count(id) + unreachable_.count(id) == 0)
      throw std::logic_error("address " + to_string(where) + " leads to agent " + id.value() + ", which nobody knows");
}

}  // namespace troupe
