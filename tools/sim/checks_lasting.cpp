#include "tools/sim/checks.hpp"

#include "tools/sim/connection.hpp"
#include "troupe/internal/sdk_state.pb.h"

#include <algorithm>
#include <utility>

/// What may be wrong for a while, and not for long when nothing stands in the way.
namespace troupe::sim {

namespace {

using std::chrono::seconds;

constexpr seconds look_every{10};
constexpr seconds books_every{60};
constexpr seconds registers_within{115};  // no ping for 75 s, then a look for the master
constexpr seconds limit_kept_within{20};
constexpr seconds question_repeated_within{75};
constexpr seconds removed_within{60};
constexpr seconds back_told_within{60};
constexpr seconds books_agree_within{100};

}  // namespace

void checks::look_often() {
  world_.time().after(look_every, [this] {
    look_at_what_lasts();
    look_often();
  });
}

/// Linked with the leader on both sides, both going on, nothing cut or slow.
bool checks::is_undisturbed(const process& p, const process& leading) const {
  static const network_habits usual;
  return p.alive && !p.paused && !leading.paused && p.up && p.up->near.up && p.up->far.up && p.up->far.of == &leading &&
         !p.store->is_behind() && world_.network.delay == usual.delay && !world_.is_blocked(*p.home, *leading.home) &&
         !world_.is_blocked(*leading.home, *p.home);
}

void checks::look_at_what_lasts() {
  std::map<std::string, worry> found;
  const auto now = world_.time().now();
  const bool looks_at_books = now >= next_look_at_books_;
  look_at_limits(found);
  look_at_the_back(found);
  if (const auto* leading = world_.leading_master(); leading && !leading->paused) {
    look_at_health(found);
    look_at_questions(found);
    look_at_absences(found);
    if (looks_at_books) look_at_books(found);
  }
  if (looks_at_books) next_look_at_books_ = now + books_every;
  std::map<std::string, std::pair<duration, std::string>> lasting;
  if (!looks_at_books)  // they stay as they were seen
    for (const auto& [key, since] : lasting_)
      if (key.compare(0, 6, "books ") == 0) lasting.emplace(key, since);
  for (const auto& [key, each] : found) {
    const auto before = lasting_.find(key);
    const auto since = before == lasting_.end() ? now : before->second.first;
    if (now - since > each.bound || each.bound.count() == 0) throw broken(each.invariant, each.what);
    lasting.emplace(key, std::pair(since, each.what));
  }
  lasting_ = std::move(lasting);
}

void checks::look_at_health(std::map<std::string, worry>& found) {
  const auto& leading = *world_.leading_master();
  for (auto& [name, books] : agents_) {
    look("I15");
    if (books.is_registered || !is_undisturbed(world_.find(name), leading)) continue;
    found["health " + name] = {"I15", name + " is heard by the master, and is not in the cluster", registers_within};
  }
}

/// max_completion_time, over restarts of the agent.
void checks::look_at_limits(std::map<std::string, worry>& found) {
  for (const auto& key : limited_) {
    look("I14");
    const auto& t = tasks_.at(key);
    if (t.running.empty() || t.hardly_ends || t.is_name_reused || t.may_be_killed) continue;
    if (is_over(key.substr(0, key.find('/'))))
      continue;  // it is being ended, with all the time that it was given for that
    const auto& h = *world_.hosts().at(t.running.begin()->second);
    const auto& agent = world_.find(h.name);
    if (h.wall_offset != t.clock || !agent.alive || agent.paused || agent.store->is_behind()) continue;
    if (world_.time().now() - *t.started <= *t.limit + limit_kept_within) continue;
    found["limit " + key] = {"I14", key + " runs on " + h.name + " although its time was over long ago",
                             limit_kept_within};
  }
}

void checks::look_at_questions(std::map<std::string, worry>& found) {
  const auto& leading = *world_.leading_master();
  for (const auto& [name, asked] : questions_) {
    const auto& p = world_.find(name);
    if (asked.empty() || !is_undisturbed(p, leading)) continue;
    look("I15");
    for (const auto& [task, when] : asked) {
      if (world_.time().now() - when <= question_repeated_within) continue;
      found["question " + name] = {"I15", name + " has had no answer about " + task + ", and asks no more", look_every};
      break;
    }
  }
}

/// Who was told that a task is away is told when it is back.
void checks::look_at_the_back(std::map<std::string, worry>& found) {
  for (const auto& [name, logic] : workloads_) {
    const auto id = framework_ids_.find(name);
    const auto* leading = world_.leading_master();
    if (!leading || id == framework_ids_.end() || frameworks_[id->second].process != name) continue;
    if (!is_undisturbed(world_.find(name), *leading)) continue;
    for (const auto& [task_name, last] : logic->tasks()) {
      if (last.state() != v1::TASK_UNREACHABLE) continue;
      const auto agent = agent_processes_.find(last.agent_id().value());
      if (agent == agent_processes_.end() || !agents_[agent->second].is_registered) continue;
      look("I1");
      const auto key = key_of(id->second, task_name);
      if (runs(key))
        found["back " + key] = {"I1", key + " is back with its agent, and its framework is not told", back_told_within};
    }
  }
}

void checks::look_at_absences(std::map<std::string, worry>& found) {
  look_at_clocks();
  const auto now = world_.time().now();
  for (const auto& [id, f] : frameworks_) {
    if (f.is_over || !f.return_by) continue;
    look("I9");
    if (now <= std::max(*f.return_by, leads_since_) + clocks_apart() + removed_within) continue;
    found["absence " + id] = {"I9", "framework " + id + " should have been removed, and was not", removed_within};
  }
}

/// What the ledger, the master and the agents say is the same.
void checks::look_at_books(std::map<std::string, worry>& found) {
  const auto& leading = *world_.leading_master();
  const auto seen = world_.look(leading, leader());
  const auto ledger = world_.look(leading, allocator());
  if (!seen || !ledger) return;
  std::vector<complaint> all;
  const auto& view = static_cast<const internal::MasterView&>(*seen);
  add_accounts(view, static_cast<const internal::AllocatorView&>(*ledger), all);
  add_offers(view, static_cast<const internal::AllocatorView&>(*ledger), all);
  for (auto& each : all) {
    const auto p = world_.processes().find(each.about);
    if (p != world_.processes().end() && !is_undisturbed(*p->second, leading)) continue;
    found["books " + each.invariant + " " + each.about + each.what.substr(0, each.what.find(' '))] = {
        each.invariant, each.what, books_agree_within};
  }
}

}  // namespace troupe::sim
