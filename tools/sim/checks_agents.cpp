#include "tools/sim/checks.hpp"

#include "protocol/task_state.hpp"
#include "storage/keys.hpp"
#include "tools/sim/heard.hpp"
#include "troupe/internal/records.pb.h"
#include "troupe/internal/sdk_state.pb.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <utility>

/// What agents, executors and containers do.
namespace troupe::sim {

namespace {

bool begins(const std::string& key, const char* prefix) {
  return key.compare(0, std::char_traits<char>::length(prefix), prefix) == 0;
}

const std::string executor_prefix = "executor ";

}  // namespace

// --- agents ----------------------------------------------------------------------------------------------------------

void checks::on_process_started(const process& p) {
  if (p.role != internal::AGENT) return;
  auto& books = agents_[p.name];
  books.started = world_.time().now();
  books.is_registered = false;
  books.tasks.clear();
  books.executors.clear();
  for (const auto& [key, record] : p.store->records()) {
    const auto path = keys::components(key);
    if (path.size() != 4 || path[0] != "agent") continue;
    if (path[1] == "task") books.tasks.insert(key_of(path[2], path[3]));
    internal::ExecutorRecord executor;
    if (path[1] == "executor" && decode_record(record, executor) && !executor.built_in())
      books.executors[{path[2], path[3]}] = executor.container_id().value();
    if (path[1] == "executor" && !executor.ended()) ended_executors_.erase(executor.container_id().value());
  }
}

void checks::on_agent_step(const actor& a, const mail& heard, const outbox& out) {
  look_at_epoch(a, heard, out);
  if (const auto* refused = as<internal::AgentRefused>(heard))
    throw broken("I8", a.home->name + " is refused: " + refused->reason());
  if (const auto* exited = as<internal::ContainerExited>(heard))
    ended_executors_.insert(exited->container_id().value());
  for (const auto& e : out.edits) on_agent_record(a, e);
  if (as<internal::Recovered>(heard)) look_at_recovery(a, out);
  for (const auto& said : out.letters)
    if (const auto* destroy = as<internal::DestroyContainer>(said)) destroyed_.insert(destroy->container_id().value());
  if (as<v1::executor::Call::Subscribe>(heard)) look_at_arrival(a, heard, out);
  for (const auto& said : out.letters) {
    if (const auto* update = as<internal::StatusUpdated>(said)) {
      look("I12");
      if (recorded_.count(update->status().uuid()) == 0)
        throw broken("I12", a.home->name + " tells an update of " + update->status().task_id().value() +
                                " that it has not recorded");
    } else if (const auto* launch = as<v1::executor::Event::Launch>(said)) {
      const auto& container = said.to.id();
      fed_executors_.insert(container);
      const auto label = custom_.find(container);
      if (label == custom_.end()) continue;
      look("I2");
      const auto key = key_of(label->second.framework, launch->task().task_id().value());
      const auto& t = tasks_[key];
      if (t.recorded_end && !t.is_name_reused)
        throw broken("I2", key + " is handed to its executor on " + a.home->name + " after its end, " +
                               std::string(short_name(*t.recorded_end)));
    } else if (const auto* report = as<internal::ReregisterAgent>(said)) {
      look_at_report(a, *report);
    } else if (as<internal::RegisterAgent>(said)) {
      look("I12");
      if (a.home->store->records().count(keys::agent_self()) != 0)
        throw broken("I12", a.home->name + " registers as a new agent, and has been admitted before");
    }
  }
}

void checks::look_at_epoch(const actor& a, const mail& heard, const outbox& out) {
  if (heard.head.from().role() != internal::MASTER || heard.head.epoch() == 0) return;
  look("I10");
  auto& highest = a.home->epoch_followed;
  const bool obeys = !out.edits.empty() || !out.letters.empty();
  if (heard.head.epoch() < highest && obeys)
    throw broken("I10", a.home->name + " obeys " + std::string(verb_name(heard.head.verb())) + " of epoch " +
                            std::to_string(heard.head.epoch()) + " after one of epoch " + std::to_string(highest));
  if (obeys) highest = std::max(highest, heard.head.epoch());
}

void checks::on_agent_record(const actor& a, const edit& e) {
  const bool is_update = begins(e.key, "agent/update/"), is_task = begins(e.key, "agent/task/"),
             is_executor = begins(e.key, "agent/executor/");
  if (!is_update && !is_task && !is_executor) return;
  const auto path = keys::components(e.key);
  auto& books = agents_[a.home->name];
  if (is_executor) {
    internal::ExecutorRecord executor;
    if (!e.record)
      books.executors.erase({path[2], path[3]});
    else if (decode_record(*e.record, executor) && !executor.built_in())
      books.executors[{path[2], path[3]}] = executor.container_id().value();
    return;
  }
  const auto key = key_of(path[2], path[3]);
  auto& t = tasks_[key];
  if (is_update) {
    const auto number = std::strtoull(path[4].c_str(), nullptr, 16);
    internal::UpdateRecord update;
    if (e.record && decode_record(*e.record, update))
      return on_update_recorded(a, path[2], path[3], number, update.status());
    look("I7");
    const auto known = t.recorded.find(number);
    if (!e.record && known != t.recorded.end() && t.heard.count(known->second) == 0 && !t.is_name_reused &&
        !is_over(path[2]))
      throw broken("I7", a.home->name + " forgets an update of " + key + " that its framework has never heard");
    return;
  }
  if (e.record) {
    books.tasks.insert(key);
    return;
  }
  books.tasks.erase(key);
  look("I7");
  if (t.recorded_end && !t.end && !t.is_name_reused && !is_over(path[2]))
    throw broken("I7", a.home->name + " forgets " + key + ", and its framework has never heard how it ended");
}

void checks::on_update_recorded(const actor& a, const std::string& framework, const std::string& id,
                                std::uint64_t number, const v1::TaskStatus& status) {
  const auto key = key_of(framework, id);
  auto& t = tasks_[key];
  t.recorded[number] = status.uuid();
  recorded_.insert(status.uuid());
  if (t.is_name_reused) return;
  look("I7");
  const auto own = std::find(t.reported.begin(), t.reported.end(), status.uuid());
  if (own != t.reported.end())
    for (auto earlier = t.reported.begin(); earlier != own; ++earlier)
      if (recorded_.count(*earlier) == 0)
        throw broken("I7", a.home->name + " records what the executor of " + key + " has reported, but not in order");
  if (!is_terminal(status.state())) return;
  t.recorded_end = status.state();
  look("I1");
  // A launch that is on its way when its agent gives it up is another matter: what it begins is killed.
  const bool is_there = t.handed && world_.time().now() - *t.handed > std::chrono::seconds(1);
  if (status.source() == v1::TaskStatus::SOURCE_AGENT && is_there && run_by_executors().count(key) != 0)
    throw broken("I1", a.home->name + " says that " + key + " is " + std::string(short_name(status.state())) +
                           ", and its executor runs it");
  look_at_end(key, t, status);
}

/// Is the end of a command told as it was?
void checks::look_at_end(const std::string& key, const task& t, const v1::TaskStatus& status) {
  if (!t.how || status.source() != v1::TaskStatus::SOURCE_EXECUTOR) return;
  const auto told = std::string(short_name(status.state()));
  look("I14");
  if (t.how->asked && status.state() == v1::TASK_FINISHED)
    throw broken("I14", key + " was ended on request, and is told to be " + told);
  if (t.how->asked || !t.how->status || status.state() == v1::TASK_KILLED) return;
  look("I7");
  const auto meant = *t.how->status == 0 ? v1::TASK_FINISHED : v1::TASK_FAILED;
  if (status.state() != meant)
    throw broken("I7", key + " exited with status " + std::to_string(*t.how->status) + ", and is told to be " + told);
}

/// It lists all that it has, and nothing that has ended.
void checks::look_at_report(const actor& a, const internal::ReregisterAgent& report) {
  look("I5");
  const auto& books = agents_[a.home->name];
  std::set<std::string> listed;
  for (const auto& task : report.tasks()) listed.insert(key_of(task.framework_id().value(), task.task_id().value()));
  for (const auto& key : books.tasks)
    if (listed.count(key) == 0) throw broken("I5", a.home->name + " registers again, and does not list " + key);
  for (const auto& executor : report.executors()) {
    const auto found = books.executors.find({executor.framework_id().value(), executor.executor_id().value()});
    if (found != books.executors.end() && ended_executors_.count(found->second) != 0)
      throw broken("I5", a.home->name + " lists executor " + executor.executor_id().value() + ", which has ended");
  }
}

/// Nothing ends because its agent starts again, unless the machine did. What was being ended goes on to be.
void checks::look_at_recovery(const actor& a, const outbox& out) {
  auto& books = agents_[a.home->name];
  const bool rebooted = std::exchange(books.boots, a.home->home->boots) != a.home->home->boots;
  if (rebooted) return;
  look("I8");
  for (const auto& said : out.letters) {
    const auto* destroy = as<internal::DestroyContainer>(said);
    if (!destroy || destroyed_.count(destroy->container_id().value()) != 0) continue;
    for (const auto& [executor, container] : books.executors)
      if (container == destroy->container_id().value() && !is_over(executor.first))
        throw broken("I8",
                     a.home->name + " starts again, and ends executor " + executor.second + " of " + executor.first);
  }
}

/// A custom executor that comes up is given a task, or ended if there is none any more.
void checks::look_at_arrival(const actor& a, const mail& heard, const outbox& out) {
  const auto& container = heard.head.from().id();
  if (custom_.count(container) == 0 || fed_executors_.count(container) != 0) return;
  look("I15");
  const bool is_served = std::any_of(out.letters.begin(), out.letters.end(), [&](const letter& said) {
    return said.to.id() == container && (as<v1::executor::Event::Launch>(said) || as<internal::ShutdownExecutor>(said));
  });
  if (!is_served)
    throw broken("I15", "executor " + custom_.at(container).executor + " on " + a.home->name +
                            " comes up, has no task, and nobody ends it");
}

// --- custom executors ------------------------------------------------------------------------------------------------

std::map<std::string, std::string> checks::run_by_executors() const {
  std::map<std::string, std::string> found;
  for (const auto& [name, logic] : executors_) {
    const auto p = world_.processes().find(name);
    if (p == world_.processes().end() || !p->second->alive) continue;
    const auto label = custom_.find(p->second->container);
    if (label == custom_.end()) continue;
    for (const auto& [task, deaf] : logic->running())
      found.emplace(key_of(label->second.framework, task), p->second->home->name);
  }
  return found;
}

bool checks::runs(const std::string& key) const {
  const auto t = tasks_.find(key);
  return (t != tasks_.end() && !t->second.running.empty()) || run_by_executors().count(key) != 0;
}

void checks::on_executor_step(const actor& a, const mail& heard, const outbox& out) {
  const auto& p = *a.home;
  const auto label = custom_.find(p.container);
  if (label == custom_.end()) return;
  if (const auto* launch = as<v1::executor::Event::Launch>(heard)) {
    auto& t = find(label->second.framework, launch->task().task_id().value());
    if (!t.handed) t.handed = world_.time().now();
  }
  for (const auto& e : out.edits) {
    if (!begins(e.key, "executor/update/") || !e.record) continue;
    internal::ExecutorUpdateRecord update;
    if (!decode_record(*e.record, update)) continue;
    const auto key = key_of(label->second.framework, update.status().task_id().value());
    tasks_[key].reported.push_back(update.status().uuid());
    reports_[update.status().uuid()] = {key, p.name + "/" + e.key};
  }
  if (const auto logic = executors_.find(p.name); logic != executors_.end()) {
    look("I3");
    if (!logic->second->begun_twice().empty())
      throw broken("I3", *logic->second->begun_twice().begin() + " is begun twice by its executor on " + p.home->name);
  }
  const bool ends = std::any_of(out.letters.begin(), out.letters.end(), [](const letter& said) {
    const auto* told = as<internal::ProgramEvent>(said);
    return told && told->name() == "exit";
  });
  // In its time it may give up; its agent may have refused it.
  if (!ends || as<internal::TimerFired>(heard) || as<v1::executor::Event::Error>(heard)) return;
  look("I7");
  const auto seen = a.core->look();
  for (const auto& update : static_cast<const internal::CustomExecutorState&>(*seen).updates())
    throw broken("I7", "the executor of " + update.status().task_id().value() + " on " + p.home->name +
                           " ends before its agent has heard that it is " +
                           std::string(short_name(update.status().state())));
}

// --- containers ------------------------------------------------------------------------------------------------------

void checks::on_container_started(const host& h, const std::string& id, const container_label& label) {
  if (label.is_custom_executor()) {
    custom_[id] = label;
    return;
  }
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
  t.how.reset();
  t.started = world_.time().now();
  t.clock = h.wall_offset;
  t.hardly_ends = h.containers->habits.hardly_ends > 0;
  if (t.limit) limited_.insert(key_of(label.framework, label.task));
}

void checks::on_container_ended(const host& h, const std::string& id, const container_label& label,
                                const container_end& how) {
  if (label.is_custom_executor()) return;
  auto& t = find(label.framework, label.task);
  t.running.erase(id);
  t.how = how;
  limited_.erase(key_of(label.framework, label.task));
  look("I8");
  const auto f = frameworks_.find(label.framework);
  const bool has_reason =
      t.may_be_killed || t.is_name_reused || f == frameworks_.end() || f->second.is_over || t.limit.has_value();
  if (how.asked && !has_reason)
    throw broken("I8", label.text() + " was ended on " + h.name + ", and nobody had asked for that");
}

}  // namespace troupe::sim
