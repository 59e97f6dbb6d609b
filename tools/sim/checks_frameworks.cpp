#include "tools/sim/checks.hpp"

#include "protocol/task_state.hpp"
#include "tools/sim/heard.hpp"

#include <algorithm>
#include <utility>

/// What frameworks say and are told.
namespace troupe::sim {

namespace call = v1::scheduler;

namespace {

bool can_do(const v1::FrameworkInfo& info, v1::FrameworkInfo::Capability::Type type) {
  return std::any_of(info.capabilities().begin(), info.capabilities().end(),
                     [type](const auto& c) { return c.type() == type; });
}

}  // namespace

void checks::on_framework_step(const actor& a, const mail& heard, const outbox& out) {
  auto& name = a.home->name;
  if (const auto* subscribed = as<call::Event::Subscribed>(heard); subscribed && !out.log.empty())
    on_subscribed(name, subscribed->framework_id().value(), out);
  for (const auto& said : out.letters)
    if (const auto* subscribe = as<call::Call::Subscribe>(said)) described_[name] = subscribe->framework_info();
  note_offers(name, heard, out);
  note_questions(name, heard, out);
  const auto known = framework_ids_.find(name);
  if (known == framework_ids_.end()) return;
  const auto& id = known->second;
  // What a master says for itself cannot be told apart from what it said before.
  if (const auto* update = as<call::Event::Update>(heard);
      update && !(heard.is_repeated && update->status().uuid().empty()))
    on_told(id, update->status());
  for (const auto& said : out.letters) {
    if (const auto* accept = as<call::Call::Accept>(said)) {
      for (const auto& operation : accept->operations())
        for (const auto& info : operation.launch().task_infos()) on_launched(id, info);
    } else if (const auto* ack = as<call::Call::Acknowledge>(said)) {
      look("I7");
      auto& t = find(id, ack->task_id().value());
      if (t.heard.count(ack->uuid()) == 0 && !t.is_name_reused)
        throw broken("I7", name + " acknowledges of " + ack->task_id().value() + " what it has never heard");
    } else if (as<internal::TeardownFramework>(said)) {
      frameworks_[id].is_over = true;
    }
  }
}

void checks::on_subscribed(const std::string& name, const std::string& id, const outbox& out) {
  look("I12");
  const auto former = durable_ids_.find(name);
  if (former != durable_ids_.end() && former->second != id && !is_over(former->second))
    throw broken("I12", name + " is framework " + id + " now, and was " + former->second);
  framework_ids_[name] = id;
  auto& f = frameworks_[id];
  f.process = name;
  const auto& info = described_[name];
  f.partition_aware = can_do(info, v1::FrameworkInfo::Capability::PARTITION_AWARE);
  f.failover_timeout_s = info.failover_timeout();
  look("I15");
  const bool asks = std::any_of(out.letters.begin(), out.letters.end(), [](const letter& said) {
    const auto* question = as<call::Call::Reconcile>(said);
    return question && question->tasks().empty();
  });
  if (!asks) throw broken("I15", name + " is subscribed, and does not ask what has become of its tasks");
}

void checks::on_launched(const std::string& framework, const v1::TaskInfo& info) {
  ++launches_;
  auto& t = find(framework, info.task_id().value());
  auto running = std::move(t.running);
  const bool again = t.launched;
  t = task();
  t.running = std::move(running);
  t.launched = true;
  t.is_name_reused = again;
  t.is_deaf = info.data().find("deaf") != std::string::npos;
  if (info.has_max_completion_time()) t.limit = duration(info.max_completion_time().nanoseconds());
}

void checks::on_said(const actor& a, const letter& said) {
  if (a.at.role() == internal::FRAMEWORK) {
    const auto known = framework_ids_.find(a.home->name);
    if (known == framework_ids_.end()) return;
    if (const auto* kill = as<call::Call::Kill>(said)) {
      auto& t = find(known->second, kill->task_id().value());
      if (!t.kill_asked) t.kill_asked = world_.time().now();
      t.may_be_killed = true;
    } else if (const auto* ack = as<call::Call::Acknowledge>(said)) {
      auto& t = find(known->second, ack->task_id().value());
      if (t.end) t.end_acknowledged = true;
    } else if (as<call::Call::Reconcile>(said)) {
      durable_ids_[a.home->name] = known->second;  // said after it is subscribed, and that is recorded
    }
    return;
  }
  if (!same(a.at, leader())) return;
  if (const auto* removed = as<internal::RemoveFramework>(said)) {
    const auto f = frameworks_.find(removed->framework_id().value());
    if (f != frameworks_.end() && f->second.removal_decided_by == a.home->name) on_removed(f->first, f->second);
  } else if (const auto* gone = as<internal::RemoveAgent>(said); gone && a.home == world_.leading_master()) {
    // One that has not heard who it is, and is taken to have begun afresh since tasks of it are known, loses them with
    // its first id.
    const auto of = agent_processes_.find(gone->agent_id().value());
    if (of != agent_processes_.end() && agents_[of->second].id == of->first) agents_[of->second].id.clear();
  } else if (const auto* admitted = as<internal::AgentRegistered>(said);
             admitted && a.home == world_.leading_master()) {
    on_agent_admitted(said.to, admitted->agent_id().value());
  } else if (const auto* set = as<internal::SetFrameworkActive>(said); set && a.home == world_.leading_master()) {
    const auto f = frameworks_.find(set->framework_id().value());
    if (f == frameworks_.end()) return;
    auto& known = f->second;
    if (set->active()) {
      known.return_by.reset();
      known.is_return_durable = false;
    } else if (!known.is_return_durable) {
      known.return_by = world_.time().now() + duration(static_cast<std::int64_t>(known.failover_timeout_s * 1e9));
      known.is_return_durable = true;
    }
  }
}

void checks::on_told(const std::string& framework, const v1::TaskStatus& status) {
  auto& t = find(framework, status.task_id().value());
  if (t.is_name_reused) {
    if (!status.uuid().empty()) t.heard.insert(status.uuid());
    if (is_terminal(status.state()) && !status.uuid().empty()) t.end = status.state();
    return;
  }
  if (!status.uuid().empty()) return on_update_told(framework, t, status);
  look("I7");
  // Who has been started anew since may have forgotten that it heard the end, and have asked.
  const bool has_heard_end =
      t.end && (t.end_acknowledged || t.end_heard_in == world_.find(frameworks_[framework].process).life);
  if (has_heard_end && status.state() != *t.end && status.state() != v1::TASK_UNKNOWN)
    throw broken("I7", status.task_id().value() + " is told to be " + std::string(short_name(status.state())) +
                           " after its end, " + std::string(short_name(*t.end)) + ", was heard");
  if (!frameworks_[framework].partition_aware || !t.launched) return;
  if (is_terminal(status.state())) t.end_by_master = status.state();
}

void checks::on_update_told(const std::string& framework, task& t, const v1::TaskStatus& status) {
  const auto& id = status.task_id().value();
  const auto state = std::string(short_name(status.state()));
  const bool is_new = t.heard.insert(status.uuid()).second;
  look("I7");
  if (is_new && t.end && !is_terminal(status.state()))
    throw broken("I7", id + " is told to be " + state + " after its end, " + std::string(short_name(*t.end)));
  if (is_new && t.end_by_master && *t.end_by_master != status.state() && !is_over(framework))
    throw broken("I7", id + " is told to be " + state + " after the master has told its end, " +
                           std::string(short_name(*t.end_by_master)));
  const auto own = std::find_if(t.recorded.begin(), t.recorded.end(),
                                [&](const auto& entry) { return entry.second == status.uuid(); });
  if (is_new && own != t.recorded.end())
    for (auto earlier = t.recorded.begin(); earlier != own; ++earlier)
      if (t.heard.count(earlier->second) == 0)
        throw broken("I7", id + " is told to be " + state + ", and an earlier update of it was left out");
  if (!is_terminal(status.state())) return;
  if (t.end && *t.end != status.state())
    throw broken("I7",
                 "the end of " + id + " is told as " + state + ", and was told as " + std::string(short_name(*t.end)));
  t.end = status.state();
  t.end_heard_in = world_.find(frameworks_[framework].process).life;
}

// --- offers and questions --------------------------------------------------------------------------------------------

void checks::note_offers(const std::string& name, const mail& heard, const outbox& out) {
  if (as<call::Event::Subscribed>(heard) || as<internal::PeerDisconnected>(heard)) offers_held_[name].clear();
  if (const auto* made = as<call::Event::Offers>(heard))
    for (const auto& offer : made->offers()) offers_held_[name].insert(offer.id().value());
  if (const auto* gone = as<call::Event::Rescind>(heard)) offers_held_[name].erase(gone->offer_id().value());
  for (const auto& said : out.letters) {
    if (const auto* accept = as<call::Call::Accept>(said))
      for (const auto& id : accept->offer_ids()) offers_held_[name].erase(id.value());
    if (const auto* decline = as<call::Call::Decline>(said))
      for (const auto& id : decline->offer_ids()) offers_held_[name].erase(id.value());
  }
}

void checks::note_questions(const std::string& name, const mail& heard, const outbox& out) {
  if (as<call::Event::Subscribed>(heard) || as<internal::PeerDisconnected>(heard) || as<internal::PeerConnected>(heard))
    questions_[name].clear();
  if (const auto* update = as<call::Event::Update>(heard)) questions_[name].erase(update->status().task_id().value());
  for (const auto& said : out.letters)
    if (const auto* question = as<call::Call::Reconcile>(said))
      for (const auto& task : question->tasks()) questions_[name][task.task_id().value()] = world_.time().now();
}

}  // namespace troupe::sim
