#include "tools/sim/checks.hpp"

#include "protocol/task_state.hpp"
#include "tools/sim/heard.hpp"
#include "troupe/internal/sdk_state.pb.h"

#include <algorithm>
#include <utility>

/// At rest: when nothing goes wrong any more, and when all frameworks have left.
namespace troupe::sim {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr minutes gone_within{2};

}  // namespace

std::vector<complaint> checks::complaints() {
  std::vector<complaint> found;
  look_at_mailboxes();
  look("I15");
  auto* master = world_.leading_master();
  const auto seen = master ? world_.look(*master, leader()) : nullptr;
  const auto ledger = master ? world_.look(*master, allocator()) : nullptr;
  if (!seen || !ledger) return {{"I15", "no master leads", "masters"}};
  const auto& view = static_cast<const internal::MasterView&>(*seen);
  add_processes(found);
  add_fates(found);
  add_strays(found);
  add_executors(found);
  add_accounts(view, static_cast<const internal::AllocatorView&>(*ledger), found);
  add_offers(view, static_cast<const internal::AllocatorView&>(*ledger), found);
  return found;
}

bool checks::is_agent_over(const std::string& id) const {
  const auto process = agent_processes_.find(id);
  return process != agent_processes_.end() && world_.processes().at(process->second)->is_over();
}

void checks::add_processes(std::vector<complaint>& found) {
  std::map<std::string, std::string> ids;
  // Whoever sits on offers keeps others from them.
  const bool is_hoarded = std::any_of(workloads_.begin(), workloads_.end(), [](const auto& entry) {
    const auto& wish = entry.second->wish();
    return wish.hoards.count() != 0 || (wish.gathers.count() != 0 && !wish.suppresses);
  });
  for (auto& [name, p] : world_.processes()) {
    if (p->role == internal::AGENT) {
      if (p->is_over()) continue;
      if (!p->alive) {
        found.push_back({"I15", name + " is not running", name});
        continue;
      }
      const auto view = world_.look(*p, p->at);
      const auto& agent = static_cast<const internal::AgentView&>(*view);
      if (!agent.registered()) found.push_back({"I15", name + " is not registered", name});
      look("I4");
      const auto& id = agent.info().id().value();
      if (const auto other = ids.emplace(id, name); !other.second && !id.empty())
        found.push_back({"I4", name + " and " + other.first->second + " are both agent " + id, name});
    }
    if (p->role != internal::FRAMEWORK) continue;
    const auto id = framework_ids_.find(name);
    const auto* f = id == framework_ids_.end() ? nullptr : &frameworks_[id->second];
    if (f && (f->is_over || f->process != name)) continue;  // another process may have taken over
    if (p->is_over()) {
      const auto due = f && f->return_by ? *f->return_by + clocks_apart() + gone_within : duration::max();
      if (world_.time().now() > due)
        found.push_back({"I9", name + " will not come back, and has not been removed", name});
      continue;
    }
    if (!p->alive) {
      found.push_back({"I15", name + " is not running", name});
      continue;
    }
    const auto view = world_.look(*p, p->at);
    if (!static_cast<const internal::SchedulerState&>(*view).subscribed())
      found.push_back({"I15", name + " is not subscribed", name});
    const auto logic = workloads_.find(name);
    if (logic == workloads_.end() || logic->second->wish().declines_everything || is_hoarded) continue;
    const auto& w = *logic->second;
    for (const auto& wanted : w.wanted())
      if (p->home->monotonic(world_.time().now()) - wanted.since > seconds(30)) {
        found.push_back(
            {"I15", name + " waits for the launch of " + std::to_string(w.wanted().size()) + " tasks", name});
        break;
      }
  }
}

/// Of each task its framework knows what is true of it.
void checks::add_fates(std::vector<complaint>& found) {
  const auto of_executors = run_by_executors();
  for (const auto& [name, logic] : workloads_) {
    const auto id = framework_ids_.find(name);
    if (id == framework_ids_.end() || !world_.find(name).alive) continue;
    const auto& f = frameworks_[id->second];
    if (f.is_over || f.process != name) continue;
    for (const auto& [task_name, last] : logic->tasks()) {
      look("I1");
      const auto key = key_of(id->second, task_name);
      const auto t = tasks_.find(key);
      const bool runs = (t != tasks_.end() && !t->second.running.empty()) || of_executors.count(key) != 0;
      const bool is_lost = last.state() == v1::TASK_UNREACHABLE && is_agent_over(last.agent_id().value());
      if (last.state() == v1::TASK_RUNNING && !runs)
        found.push_back({"I1", name + " takes " + task_name + " to run, and it does not", task_name});
      else if (last.state() != v1::TASK_RUNNING && !is_lost)
        found.push_back({"I1",
                         name + " knows nothing of " + task_name + " but " + std::string(short_name(last.state())),
                         task_name});
      look("I14");
      if (t != tasks_.end() && t->second.kill_asked && !t->second.is_deaf && !is_lost)
        found.push_back({"I14", task_name + " has not ended, though " + name + " has asked for that", task_name});
    }
  }
}

/// What runs, its framework knows.
void checks::add_strays(std::vector<complaint>& found) {
  auto running = run_by_executors();
  for (const auto& [key, t] : tasks_)
    if (!t.running.empty()) running.emplace(key, t.running.begin()->second);
  for (const auto& [key, where] : running) {
    const auto f = frameworks_.find(key.substr(0, key.find('/')));
    look("I1");
    const auto logic = f == frameworks_.end() ? workloads_.end() : workloads_.find(f->second.process);
    if (logic == workloads_.end()) continue;
    // Whose framework may still come back runs on.
    if (!f->second.is_over && world_.find(f->second.process).is_over()) continue;
    if (world_.find(where).is_over()) continue;  // nobody is there to end it
    if (f->second.is_over || logic->second->tasks().count(key.substr(key.find('/') + 1)) == 0)
      found.push_back({"I1", key + " runs on " + where + ", and its framework does not know it", key});
  }
}

/// A custom executor is there for tasks.
void checks::add_executors(std::vector<complaint>& found) {
  for (auto& [name, p] : world_.processes()) {
    if (p->role != internal::AGENT || !p->alive) continue;
    const auto seen = world_.look(*p, p->at);
    for (const auto& f : static_cast<const internal::AgentView&>(*seen).frameworks())
      for (const auto& e : f.executors()) {
        if (e.built_in() || e.phase() == "terminated" || e.phase() == "terminating") continue;
        look("I15");
        const bool has_tasks =
            e.queued_tasks_size() != 0 ||
            std::any_of(e.tasks().begin(), e.tasks().end(), [](const auto& t) { return !is_terminal(t.state()); });
        const auto& container = e.container_id().value();
        if (!has_tasks && fed_executors_.count(container) == 0)
          found.push_back({"I15",
                           "executor " + e.info().executor_id().value() + " on " + name +
                               " has never had a task, and nobody ends it",
                           container});
      }
  }
}

/// What the ledger, the master and the agents say of each agent is the same.
void checks::add_accounts(const internal::MasterView& view, const internal::AllocatorView& ledger,
                          std::vector<complaint>& found) {
  std::map<std::string, resources> of_ledger, of_master;
  for (const auto& agent : ledger.agents()) of_ledger[agent.agent_id().value()] = sum_of(agent.used());
  for (const auto& agent : view.agents()) of_master[agent.info().id().value()] = sum_of(agent.used());
  for (auto& [name, p] : world_.processes()) {
    if (p->role != internal::AGENT || !p->alive) continue;
    const auto look_at = world_.look(*p, p->at);
    const auto& agent = static_cast<const internal::AgentView&>(*look_at);
    resources held;
    for (const auto& f : agent.frameworks()) {
      // What is left of a framework that was removed is given to others before it has ended.
      const auto owner = frameworks_.find(f.info().id().value());
      if (owner != frameworks_.end() && owner->second.is_removed) continue;
      for (const auto& e : f.executors()) {
        if (e.phase() == "terminated") continue;
        if (!e.built_in()) held += sum_of(e.info().resources());
        for (const auto& t : e.tasks())
          if (!is_terminal(t.state())) held += sum_of(t.resources());
        for (const auto& t : e.queued_tasks()) held += sum_of(t.resources());
      }
    }
    look("I5");
    const auto& id = agent.info().id().value();
    if (!(held == of_master[id]))
      found.push_back({"I5", name + " holds " + held.text() + ", and the master thinks " + of_master[id].text(), name});
    if (!(of_ledger[id] == of_master[id]))
      found.push_back({"I5",
                       "of " + name + " the ledger thinks that " + of_ledger[id].text() + " is used, and the master " +
                           of_master[id].text(),
                       name});
  }
}

/// Offers are open of agents that are there, to frameworks that have not answered them, and the ledger knows of each.
void checks::add_offers(const internal::MasterView& view, const internal::AllocatorView& ledger,
                        std::vector<complaint>& found) {
  std::set<std::string> inactive;
  std::map<std::string, resources> of_ledger, of_master;
  for (const auto& agent : ledger.agents()) of_ledger[agent.agent_id().value()] = sum_of(agent.offered());
  for (const auto& agent : view.agents()) {
    of_master[agent.info().id().value()] = sum_of(agent.offered());
    if (!agent.active()) inactive.insert(agent.info().id().value());
  }
  look("I5");
  for (const auto& [id, offered] : of_master)
    if (const auto process = agent_processes_.find(id); !(offered == of_ledger[id]))
      found.push_back({"I5",
                       "of " + id + " the ledger thinks that " + of_ledger[id].text() + " is offered, and the master " +
                           offered.text(),
                       process == agent_processes_.end() ? id : process->second});
  for (const auto& f : view.frameworks()) {
    const auto known = frameworks_.find(f.info().id().value());
    if (known == frameworks_.end()) continue;
    const auto& name = known->second.process;
    const auto held = offers_held_.find(name);
    for (const auto& offer : f.offers()) {
      if (inactive.count(offer.agent_id().value()) != 0)
        throw broken("I5", "an offer of " + offer.agent_id().value() + " is open, which is not there");
      if (held == offers_held_.end() || held->second.count(offer.id().value()) == 0)
        found.push_back(
            {"I5", offer.id().value() + " is open, and " + name + " has answered it or never had it", name});
    }
  }
}

std::vector<complaint> checks::leftovers() {
  std::vector<complaint> found;
  look("I16");
  for (const auto& [name, h] : world_.hosts()) {
    if (!h->containers || world_.find(name).is_over()) continue;
    for (const auto& [id, label] : h->containers->running())
      found.push_back({"I16", label.text() + " still runs on " + name, label.text()});
    if (h->containers->kept_ends() != 0)
      found.push_back({"I16", name + " still keeps how containers ended", name + " ends"});
  }
  for (auto& [name, p] : world_.processes()) {
    if (p->role == internal::FRAMEWORK && p->alive) found.push_back({"I16", name + " has not left", name});
    if (p->role != internal::AGENT || !p->alive) continue;
    const auto view = world_.look(*p, p->at);
    for (const auto& f : static_cast<const internal::AgentView&>(*view).frameworks())
      found.push_back({"I16",
                       name + " still has framework " + f.info().id().value() + " with " +
                           std::to_string(f.executors_size()) + " executors" +
                           (f.executors_size() != 0 ? ", the first of which is " + f.executors(0).phase() : ""),
                       name});
    for (const auto& [key, record] : p->store->records())
      for (const auto* root : {"agent/framework/", "agent/executor/", "agent/task/", "agent/update/"})
        if (key.compare(0, std::string(root).size(), root) == 0)
          found.push_back({"I16", name + " still remembers " + key, name + key});
  }
  auto* master = world_.leading_master();
  const auto seen = master ? world_.look(*master, leader()) : nullptr;
  const auto ledger = master ? world_.look(*master, allocator()) : nullptr;
  if (!seen || !ledger) return {{"I15", "no master leads", "masters"}};
  for (const auto& f : static_cast<const internal::MasterView&>(*seen).frameworks())
    found.push_back({"I16", "the master still has framework " + f.info().id().value(), f.info().id().value()});
  for (const auto& agent : static_cast<const internal::AllocatorView&>(*ledger).agents())
    if (!sum_of(agent.used()).empty() || !sum_of(agent.offered()).empty())
      found.push_back({"I16", "the ledger still gives something of agent " + agent.agent_id().value() + " to somebody",
                       agent.agent_id().value()});
  return found;
}

}  // namespace troupe::sim
