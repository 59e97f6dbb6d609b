#include "tools/sim/checks.hpp"

#include "protocol/task_state.hpp"
#include "storage/keys.hpp"
#include "tools/sim/heard.hpp"

#include <algorithm>
#include <utility>

/// What masters decide.
namespace troupe::sim {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds clocks_differ_by{2};  // beside their jumps
constexpr minutes agents_return_within{10};

}  // namespace

void checks::on_master_step(const actor& a, const mail& heard, const outbox& out) {
  if (!same(a.at, leader())) return;
  const auto by_address = [&](const Address& at) {
    return std::find_if(frameworks_.begin(), frameworks_.end(),
                        [&](const auto& f) { return world_.find(f.second.process).at.id() == at.id(); });
  };
  // Whoever is deposed and does not know it yet removes nobody: its commits fail.
  const bool leads = a.home == world_.leading_master();
  if (leads && as<internal::Recovered>(heard)) on_master_recovered();
  if (const auto* gone = as<internal::PeerDisconnected>(heard); gone && leads)
    if (const auto f = by_address(gone->peer()); f != frameworks_.end() && !f->second.away_since) {
      look_at_clocks();
      f->second.away_since = world_.time().now();
    }
  if (const auto* kill = as<v1::scheduler::Call::Kill>(heard); kill && leads) on_kill_heard(heard, *kill, out);
  for (const auto& e : out.edits) {
    if (!e.record || e.key.compare(0, 7, "master/") != 0) continue;
    const auto path = keys::components(e.key);
    if (path.size() != 3) continue;
    if (internal::FrameworkRecord f; path[1] == "framework" && decode_record(*e.record, f) && f.removed()) {
      const auto known = frameworks_.find(path[2]);
      if (known != frameworks_.end() && leads) known->second.removal_decided_by = a.home->name;
    }
    if (internal::AgentRecord agent; leads && path[1] == "agent" && decode_record(*e.record, agent) &&
                                     agent.state() != internal::AgentRecord::ADMITTED)
      if (const auto process = agent_processes_.find(path[2]); process != agent_processes_.end())
        agents_[process->second].is_registered = false;
  }
  for (const auto& said : out.letters) {
    if (const auto* kill = as<internal::KillTask>(said)) {
      look("I8");
      const auto& id = kill->framework_id().value();
      auto& t = find(id, kill->task_id().value());
      const auto f = frameworks_.find(id);
      const bool has_reason = t.may_be_killed || t.is_name_reused || f == frameworks_.end() ||
                              !f->second.partition_aware || f->second.is_over;
      if (!has_reason)
        throw broken("I8",
                     "the master kills " + key_of(id, kill->task_id().value()) + ", and nobody has asked for that");
      t.may_be_killed = true;
    } else if (const auto* subscribed = as<v1::scheduler::Event::Subscribed>(said)) {
      const auto f = frameworks_.find(subscribed->framework_id().value());
      if (f == frameworks_.end() || !leads) continue;
      look_for_return_of_the_removed(f->first);
      f->second.away_since.reset();
      f->second.return_by.reset();
      f->second.is_return_durable = false;
    } else if (const auto* shutdown = as<internal::ShutdownFramework>(said); shutdown && leads) {
      // A former master may have ended before it heard that the removal was recorded.
      const auto f = frameworks_.find(shutdown->framework_id().value());
      if (f != frameworks_.end() && !f->second.removal_decided_by.empty()) on_removed(f->first, f->second);
    } else if (const auto* fed = as<internal::AddFramework>(said); fed && leads) {
      look_for_return_of_the_removed(fed->info().id().value());
    } else if (const auto* update = as<v1::scheduler::Event::Update>(said); update && leads) {
      on_told_by_master(said.to, update->status());
    }
  }
}

/// Nobody is linked with a new leader.
void checks::on_master_recovered() {
  leads_since_ = world_.time().now();
  for (auto& [name, books] : agents_) books.is_registered = false;
  look_at_clocks();
  for (auto& [id, f] : frameworks_) {
    if (!f.away_since) f.away_since = world_.time().now();
    if (f.is_return_durable) continue;
    // It has to find this master first, however short its own timeout is.
    const duration own(static_cast<std::int64_t>(f.failover_timeout_s * 1e9));
    f.return_by = world_.time().now() + std::max<duration>(own, agents_return_within);
  }
}

void checks::look_for_return_of_the_removed(const std::string& id) {
  const auto f = frameworks_.find(id);
  if (f == frameworks_.end()) return;
  look("I9");
  if (f->second.is_removed) throw broken("I9", "framework " + id + " is back after it was removed");
}

void checks::on_agent_admitted(const Address& to, const std::string& id) {
  const auto* p = world_.find_at(to);
  if (!p) return;
  auto& books = agents_[p->name];
  look("I4");
  const auto owner = agent_processes_.find(id);
  if (owner != agent_processes_.end() && owner->second != p->name)
    throw broken("I4", p->name + " is given the id of " + owner->second + ", " + id);
  // One that had not yet written down who it is may be another one after a crash.
  look("I12");
  const bool remembers = p->life == books.told_in_life || p->store->records().count(keys::agent_self()) != 0;
  if (!books.id.empty() && books.id != id && remembers)
    throw broken("I12", p->name + " is admitted as " + id + ", and was " + books.id);
  books.id = id;
  books.told_in_life = p->life;
  books.is_registered = true;
  agent_processes_[id] = p->name;
}

/// A new master knows nothing of tasks whose agents have not come to it, and keeps no kill of them: whoever asked has
/// to ask again.
void checks::on_kill_heard(const mail& heard, const v1::scheduler::Call::Kill& kill, const outbox& out) {
  const auto f = std::find_if(frameworks_.begin(), frameworks_.end(), [&](const auto& entry) {
    return same(world_.find(entry.second.process).at, heard.head.from());
  });
  if (f == frameworks_.end()) return;
  auto& t = find(f->first, kill.task_id().value());
  const bool is_decided = std::any_of(out.log.begin(), out.log.end(),
                                      [](const std::string& line) { return line.compare(0, 11, "task.killed") == 0; });
  const bool is_known = is_decided || t.away_since_reign == leads_since_;
  const bool is_answered_otherwise = std::any_of(out.letters.begin(), out.letters.end(), [](const letter& said) {
    const auto* update = as<v1::scheduler::Event::Update>(said);
    return update && update->status().state() != v1::TASK_UNREACHABLE && update->status().state() != v1::TASK_LOST;
  });
  if (!is_known && !is_answered_otherwise) t.kill_asked.reset();
}

/// What is not an agent's update but its own word.
void checks::on_told_by_master(const Address& to, const v1::TaskStatus& status) {
  if (!status.uuid().empty()) return;
  const auto f = std::find_if(frameworks_.begin(), frameworks_.end(),
                              [&](const auto& entry) { return same(world_.find(entry.second.process).at, to); });
  if (f == frameworks_.end() || f->second.is_over) return;
  const auto key = key_of(f->first, status.task_id().value());
  if (status.reason() == v1::TaskStatus::REASON_AGENT_REMOVED) tasks_[key].away_since_reign = leads_since_;
  if (!f->second.partition_aware) return;
  const auto t = tasks_.find(key);
  if (t == tasks_.end() || t->second.is_name_reused) return;
  look("I1");
  const auto agent = agent_processes_.find(status.agent_id().value());
  const bool is_known_agent = agent != agent_processes_.end() && agents_[agent->second].id == agent->first;
  if (status.state() == v1::TASK_UNKNOWN && is_known_agent)
    throw broken("I1", "the master says that it has never heard of " + key + " on " + agent->second);
  const bool denies = is_terminal(status.state()) && (!t->second.end || *t->second.end != status.state());
  if (denies && runs(key))
    throw broken("I1",
                 "the master says that " + key + " is " + std::string(short_name(status.state())) + ", and it runs");
}

/// By its own wish, or because it was away for too long.
void checks::on_removed(const std::string& id, framework& f) {
  look("I9");
  const bool was_over = std::exchange(f.is_over, true);
  if (std::exchange(f.is_removed, true) || was_over) return;
  look_at_clocks();
  const auto away = f.away_since ? world_.time().now() - *f.away_since : duration(0);
  if (std::chrono::duration<double>(away + clocks_apart() + clocks_differ_by).count() < f.failover_timeout_s)
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

timeline::duration checks::clocks_apart() const {
  return wall_offsets_ ? wall_offsets_->second - wall_offsets_->first : duration(0);
}

}  // namespace troupe::sim
