#include "tools/sim/checks.hpp"

#include "protocol/resources.hpp"
#include "protocol/task_state.hpp"
#include "troupe/internal/sdk_state.pb.h"

#include <algorithm>
#include <utility>

namespace troupe::sim {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr timeline::duration kill_honoured_within = minutes(12);
constexpr std::size_t mailbox_max = 20000;
constexpr seconds clocks_differ_by{2};  // beside their jumps

std::string key_of(const std::string& framework, const v1::TaskID& id) {
  return framework + "/" + id.value();
}

template <class Message>
const Message* as(const mail& heard) {
  return heard.head.verb() == verb_number<Message>::value ? static_cast<const Message*>(heard.body.get()) : nullptr;
}
template <class Message>
const Message* as(const letter& said) {
  return said.verb == verb_number<Message>::value ? static_cast<const Message*>(said.body.get()) : nullptr;
}

resources sum_of(const google::protobuf::RepeatedPtrField<v1::Resource>& all) {
  return resources::from(all).value().unallocated();
}

}  // namespace

const std::vector<std::string>& checks::names() {
  static const std::vector<std::string> all = {"I1", "I2",  "I3",  "I5",  "I7",  "I8",
                                               "I9", "I10", "I14", "I15", "I16", "I17"};
  return all;
}

void checks::on_step(const actor& a, const mail& heard, const context&, const outbox& out) {
  switch (a.at.role()) {
    case internal::FRAMEWORK:
      return on_framework_step(a, heard, out);
    case internal::MASTER:
      return on_master_step(a, heard, out);
    case internal::AGENT:
      return on_agent_step(a, heard, out);
    default:
      return;
  }
}

// --- what frameworks say and are told --------------------------------------------------------------------------------

void checks::on_framework_step(const actor& a, const mail& heard, const outbox& out) {
  namespace call = v1::scheduler;
  auto& name = a.home->name;
  if (const auto* subscribed = as<call::Event::Subscribed>(heard)) {
    const auto& id = subscribed->framework_id().value();
    framework_ids_[name] = id;
    auto& f = frameworks_[id];
    f.process = name;
    const auto& info = described_[name];
    f.partition_aware = std::any_of(info.capabilities().begin(), info.capabilities().end(), [](const auto& c) {
      return c.type() == v1::FrameworkInfo::Capability::PARTITION_AWARE;
    });
    f.failover_timeout_s = info.failover_timeout();
  }
  for (const auto& said : out.letters)
    if (const auto* subscribe = as<call::Call::Subscribe>(said)) described_[name] = subscribe->framework_info();
  const auto known = framework_ids_.find(name);
  if (known == framework_ids_.end()) return;
  const auto& id = known->second;
  if (const auto* update = as<call::Event::Update>(heard)) on_told(id, update->status());
  for (const auto& said : out.letters) {
    if (const auto* accept = as<call::Call::Accept>(said)) {
      for (const auto& operation : accept->operations())
        for (const auto& info : operation.launch().task_infos()) {
          ++launches_;
          auto& t = find(id, info.task_id().value());
          auto running = std::move(t.running);
          const bool again = t.launched;
          t = task();
          t.running = std::move(running);
          t.launched = true;
          t.is_name_reused = again;
        }
    } else if (const auto* kill = as<call::Call::Kill>(said)) {
      auto& t = find(id, kill->task_id().value());
      if (!t.kill_asked) t.kill_asked = world_.time().now();
      t.may_be_killed = true;
    } else if (const auto* ack = as<call::Call::Acknowledge>(said)) {
      look("I7");
      auto& t = find(id, ack->task_id().value());
      if (t.heard.count(ack->uuid()) == 0 && !t.is_name_reused)
        throw broken("I7", name + " acknowledges of " + ack->task_id().value() + " what it has never heard");
      if (!t.end) continue;
      t.end_acknowledged = true;
      t.heard.clear();  // what is acknowledged from now on is heard again first
    } else if (as<internal::TeardownFramework>(said)) {
      frameworks_[id].is_over = true;
    }
  }
}

void checks::on_told(const std::string& framework, const v1::TaskStatus& status) {
  if (status.uuid().empty()) return;  // a master's own words, which may change when an agent comes back
  auto& t = find(framework, status.task_id().value());
  t.heard.insert(status.uuid());
  if (!is_terminal(status.state())) return;
  look("I7");
  if (t.end && *t.end != status.state() && !t.is_name_reused)
    throw broken("I7", "the end of " + status.task_id().value() + " is told as " +
                           std::string(short_name(status.state())) + ", and was told as " +
                           std::string(short_name(*t.end)));
  t.end = status.state();
}

// --- masters and agents ----------------------------------------------------------------------------------------------

void checks::on_master_step(const actor& a, const mail& heard, const outbox& out) {
  if (!same(a.at, leader())) return;
  const auto by_address = [&](const Address& at) {
    return std::find_if(frameworks_.begin(), frameworks_.end(),
                        [&](const auto& f) { return world_.find(f.second.process).at.id() == at.id(); });
  };
  // Whoever is deposed and does not know it yet removes nobody: its commits fail.
  const bool leads = a.home == world_.leading_master();
  const auto is_away = [&](framework& f) {
    look_at_clocks();
    if (!f.away_since) f.away_since = world_.time().now();
  };
  if (const auto* gone = as<internal::PeerDisconnected>(heard); gone && leads)
    if (const auto f = by_address(gone->peer()); f != frameworks_.end()) is_away(f->second);
  if (as<internal::Recovered>(heard))  // nobody is linked with a new leader
    for (auto& [id, f] : frameworks_) is_away(f);
  for (const auto& said : out.letters) {
    if (const auto* kill = as<internal::KillTask>(said)) {
      look("I8");
      const auto& id = kill->framework_id().value();
      auto& t = find(id, kill->task_id().value());
      const auto f = frameworks_.find(id);
      const bool has_reason = t.may_be_killed || t.is_name_reused || f == frameworks_.end() ||
                              !f->second.partition_aware || f->second.is_over;
      if (!has_reason)
        throw broken("I8", "the master kills " + key_of(id, kill->task_id()) + ", and nobody has asked for that");
      t.may_be_killed = true;
    } else if (const auto* subscribed = as<v1::scheduler::Event::Subscribed>(said)) {
      const auto f = frameworks_.find(subscribed->framework_id().value());
      if (f != frameworks_.end() && leads) f->second.away_since.reset();
    } else if (const auto* shutdown = as<internal::ShutdownFramework>(said)) {
      const auto f = frameworks_.find(shutdown->framework_id().value());
      if (f != frameworks_.end()) on_removed(f->first, f->second);
    } else if (as<v1::scheduler::Event::Error>(said)) {
      if (const auto f = by_address(said.to); f != frameworks_.end()) on_removed(f->first, f->second);
    }
  }
}

/// By its own wish, or because it was away for too long.
void checks::on_removed(const std::string& id, framework& f) {
  look("I9");
  if (std::exchange(f.is_over, true)) return;
  look_at_clocks();
  const auto away = f.away_since ? world_.time().now() - *f.away_since : timeline::duration(0);
  const auto jumps = wall_offsets_->second - wall_offsets_->first;
  if (std::chrono::duration<double>(away + jumps + clocks_differ_by).count() < f.failover_timeout_s)
    throw broken("I9", "framework " + id + " is removed after it was away for " +
                           std::to_string(std::chrono::duration_cast<seconds>(away).count()) + " s");
}

void checks::look_at_clocks() {
  for (const auto& [name, p] : world_.processes()) {
    if (p->role != internal::MASTER) continue;
    const auto offset = p->home->wall_offset;
    if (!wall_offsets_) wall_offsets_.emplace(offset, offset);
    wall_offsets_->first = std::min(wall_offsets_->first, offset);
    wall_offsets_->second = std::max(wall_offsets_->second, offset);
  }
}

void checks::on_agent_step(const actor& a, const mail& heard, const outbox& out) {
  if (heard.head.from().role() == internal::MASTER && heard.head.epoch() != 0) {
    look("I10");
    auto& highest = a.home->epoch_followed;
    const bool obeys = !out.edits.empty() || !out.letters.empty();
    if (heard.head.epoch() < highest && obeys)
      throw broken("I10", a.home->name + " obeys " + std::string(verb_name(heard.head.verb())) + " of epoch " +
                              std::to_string(heard.head.epoch()) + " after one of epoch " + std::to_string(highest));
    if (obeys) highest = std::max(highest, heard.head.epoch());
  }
  if (const auto* refused = as<internal::AgentRefused>(heard))
    throw broken("I8", a.home->name + " is refused: " + refused->reason());
}

void checks::on_process_ended(const process&, const std::string&) {
  look_at_mailboxes();
}

void checks::look_at_mailboxes() {
  look("I17");
  if (world_.longest_mailbox() > mailbox_max)
    throw broken("I17", "a mailbox had " + std::to_string(world_.longest_mailbox()) + " letters");
}

// --- containers ------------------------------------------------------------------------------------------------------

void checks::on_container_started(const host& h, const std::string& id, const container_label& label) {
  if (label.is_custom_executor()) return;
  ++starts_;
  auto& t = find(label.framework, label.task);
  look("I2");
  if (t.end_acknowledged && !t.is_name_reused)
    throw broken("I2", label.text() + " runs on " + h.name + " after its end was acknowledged");
  look("I3");
  if (!t.running.empty() && !t.is_name_reused)
    throw broken("I3", label.text() + " runs on " + h.name + " and on " + t.running.begin()->second);
  if (t.starts != 0 && !t.is_name_reused) throw broken("I3", label.text() + " is started again, on " + h.name);
  ++t.starts;
  t.running[id] = h.name;
}

void checks::on_container_ended(const host& h, const std::string& id, const container_label& label, bool asked) {
  if (label.is_custom_executor()) return;
  auto& t = find(label.framework, label.task);
  t.running.erase(id);
  look("I8");
  const auto f = frameworks_.find(label.framework);
  const bool has_reason = t.may_be_killed || t.is_name_reused || f == frameworks_.end() || f->second.is_over;
  if (asked && !has_reason)
    throw broken("I8", label.text() + " was ended on " + h.name + ", and nobody had asked for that");
}

// --- at rest ---------------------------------------------------------------------------------------------------------

std::vector<complaint> checks::complaints() {
  std::vector<complaint> found;
  look_at_mailboxes();
  look("I15");
  auto* master = world_.leading_master();
  if (!master) return {{"I15", "no master leads"}};
  for (auto& [name, p] : world_.processes()) {
    if (p->role == internal::AGENT) {
      if (!p->alive) {
        found.push_back({"I15", name + " is not running"});
        continue;
      }
      const auto view = world_.look(*p, p->at);
      if (!static_cast<const internal::AgentView&>(*view).registered())
        found.push_back({"I15", name + " is not registered"});
    }
    if (p->role != internal::FRAMEWORK) continue;
    const auto id = framework_ids_.find(name);
    if (id != framework_ids_.end() && frameworks_[id->second].is_over) continue;
    if (!p->alive) {
      found.push_back({"I15", name + " is not running"});
      continue;
    }
    const auto view = world_.look(*p, p->at);
    if (!static_cast<const internal::SchedulerState&>(*view).subscribed())
      found.push_back({"I15", name + " is not subscribed"});
    const auto logic = workloads_.find(name);
    if (logic == workloads_.end() || logic->second->wish().declines_everything) continue;
    const auto& w = *logic->second;
    for (const auto& wanted : w.wanted())
      if (p->home->monotonic(world_.time().now()) - wanted.since > seconds(30)) {
        found.push_back({"I15", name + " waits for the launch of " + std::to_string(w.wanted().size()) + " tasks"});
        break;
      }
  }
  add_fates(found);
  add_accounts(found);
  return found;
}

/// Of each task its framework knows what is true of it.
void checks::add_fates(std::vector<complaint>& found) {
  for (const auto& [name, logic] : workloads_) {
    const auto id = framework_ids_.find(name);
    if (id == framework_ids_.end() || frameworks_[id->second].is_over || !world_.find(name).alive) continue;
    if (logic->wish().custom_executor) continue;
    for (const auto& [task_name, last] : logic->tasks()) {
      look("I1");
      const auto t = tasks_.find(id->second + "/" + task_name);
      const bool runs = t != tasks_.end() && !t->second.running.empty();
      if (last.state() == v1::TASK_RUNNING && !runs)
        found.push_back({"I1", name + " takes " + task_name + " to run, and it does not"});
      else if (last.state() != v1::TASK_RUNNING)
        found.push_back(
            {"I1", name + " knows nothing of " + task_name + " but " + std::string(short_name(last.state()))});
      look("I14");
      if (t != tasks_.end() && t->second.kill_asked &&
          world_.time().now() - *t->second.kill_asked > kill_honoured_within)
        found.push_back({"I14", task_name + " has not ended, though " + name + " has long asked for that"});
    }
  }
  for (const auto& [key, t] : tasks_) {
    if (t.running.empty()) continue;
    const auto framework = key.substr(0, key.find('/'));
    const auto f = frameworks_.find(framework);
    look("I1");
    const auto logic = f == frameworks_.end() ? workloads_.end() : workloads_.find(f->second.process);
    if (logic == workloads_.end()) continue;
    if (f->second.is_over || logic->second->tasks().count(key.substr(key.find('/') + 1)) == 0)
      found.push_back({"I1", key + " runs on " + t.running.begin()->second + ", and its framework does not know it"});
  }
}

/// What the ledger, the master and the agents say of each agent is the same.
void checks::add_accounts(std::vector<complaint>& found) {
  auto* master = world_.leading_master();
  const auto seen = world_.look(*master, leader());
  const auto ledger = world_.look(*master, allocator());
  const auto& view = static_cast<const internal::MasterView&>(*seen);
  std::map<std::string, std::pair<resources, resources>>
      used;  // by agent id: what the ledger says, what its agent says
  for (const auto& agent : static_cast<const internal::AllocatorView&>(*ledger).agents())
    used[agent.agent_id().value()].first = sum_of(agent.used());
  std::map<std::string, resources> of_master;
  for (const auto& agent : view.agents()) of_master[agent.info().id().value()] = sum_of(agent.used());
  for (auto& [name, p] : world_.processes()) {
    if (p->role != internal::AGENT || !p->alive) continue;
    const auto look_at = world_.look(*p, p->at);
    const auto& agent = static_cast<const internal::AgentView&>(*look_at);
    resources held;
    for (const auto& f : agent.frameworks())
      for (const auto& e : f.executors()) {
        if (e.phase() == "terminated") continue;
        if (!e.built_in()) held += sum_of(e.info().resources());
        for (const auto& t : e.tasks())
          if (!is_terminal(t.state())) held += sum_of(t.resources());
        for (const auto& t : e.queued_tasks()) held += sum_of(t.resources());
      }
    look("I5");
    const auto& id = agent.info().id().value();
    if (!(held == of_master[id]))
      found.push_back({"I5", name + " holds " + held.text() + ", and the master thinks " + of_master[id].text()});
    if (!(used[id].first == of_master[id]))
      found.push_back({"I5", "of " + name + " the ledger thinks that " + used[id].first.text() +
                                 " is used, and the master " + of_master[id].text()});
  }
}

std::vector<complaint> checks::leftovers() {
  std::vector<complaint> found;
  look("I16");
  for (const auto& [name, h] : world_.hosts()) {
    if (!h->containers) continue;
    for (const auto& [id, label] : h->containers->running())
      found.push_back({"I16", label.text() + " still runs on " + name});
    if (h->containers->kept_ends() != 0) found.push_back({"I16", name + " still keeps how containers ended"});
  }
  for (auto& [name, p] : world_.processes()) {
    if (p->role == internal::FRAMEWORK && p->alive) found.push_back({"I16", name + " has not left"});
    if (p->role != internal::AGENT || !p->alive) continue;
    const auto view = world_.look(*p, p->at);
    if (static_cast<const internal::AgentView&>(*view).frameworks_size() != 0)
      found.push_back({"I16", name + " still has frameworks"});
    for (const auto& [key, record] : p->store->records())
      for (const auto* root : {"agent/framework/", "agent/executor/", "agent/task/", "agent/update/"})
        if (key.compare(0, std::string(root).size(), root) == 0)
          found.push_back({"I16", name + " still remembers " + key});
  }
  auto* master = world_.leading_master();
  if (!master) return {{"I15", "no master leads"}};
  const auto seen = world_.look(*master, leader());
  for (const auto& f : static_cast<const internal::MasterView&>(*seen).frameworks())
    found.push_back({"I16", "the master still has framework " + f.info().id().value()});
  const auto ledger = world_.look(*master, allocator());
  for (const auto& agent : static_cast<const internal::AllocatorView&>(*ledger).agents())
    if (!sum_of(agent.used()).empty() || !sum_of(agent.offered()).empty())
      found.push_back(
          {"I16", "the ledger still gives something of agent " + agent.agent_id().value() + " to somebody"});
  return found;
}

}  // namespace troupe::sim
