#include "actors/master/master.hpp"

#include "actors/master/decision.hpp"
#include "protocol/mutant.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

absent_agent absent(const internal::AgentRecord& record) {
  return {record.info(), record.address(), wall_time(std::chrono::nanoseconds(record.since().nanoseconds()))};
}

/// In the far future instead of an overflow.
monotonic_time later(monotonic_time now, std::chrono::nanoseconds wait) {
  if (wait.count() <= 0) return now;
  const auto room = monotonic_time::max() - now;
  return wait >= room ? monotonic_time::max() : now + wait;
}

}  // namespace

master::master(master_options options) : options_(std::move(options)) {}

void master::remember(std::string_view key, std::string_view record) {
  const auto path = keys::components(key);
  const auto kind = path.size() == 3 ? std::string_view(path[1]) : std::string_view();
  internal::AgentRecord agent;
  internal::FrameworkRecord entry;
  internal::WeightRecord weight;
  if (kind == "agent" && decode_record(record, agent)) {
    if (agent.state() == internal::AgentRecord::ADMITTED) return agents_.add_recovered(absent(agent));
    if (agent.state() == internal::AgentRecord::UNREACHABLE && mutated(mutant::unreachable_agents_forgotten)) return;
    if (agent.state() == internal::AgentRecord::UNREACHABLE) return agents_.add_unreachable(absent(agent));
    return agents_.add_gone(absent(agent));
  }
  if (kind == "framework" && decode_record(record, entry)) {
    const framework_id id = entry.info().id();
    if (entry.removed())
      return frameworks_.add_removed(id, wall_time(std::chrono::nanoseconds(entry.removed_at().nanoseconds())));
    framework known;
    known.id = id;
    known.info = entry.info();
    known.unreachable = task_ring(options_.unreachable_tasks_max);
    known.completed = task_ring(options_.completed_tasks_max);
    frameworks_.add(std::move(known));
    if (entry.has_failover_deadline())
      wall_deadlines_.set({due::framework_return, id.value()},
                          wall_time(std::chrono::nanoseconds(entry.failover_deadline().nanoseconds())));
    return;
  }
  if (kind == "weight" && decode_record(record, weight)) {
    weights_[weight.role()] = weight.weight();
    return;
  }
  damaged_.emplace_back(key);
}

outbox master::on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
  outbox out;
  step s{head, now, out};
  const bool recovers = body.GetDescriptor() == internal::Recovered::descriptor();
  if (ids_.cluster().empty() && !recovers)
    s.log(decision("letter.dropped").with("verb", body.GetTypeName()).with("reason", "not_recovered"));
  else if (!dispatch(*this, s, body))
    s.log(decision("letter.dropped").with("verb", body.GetTypeName()).with("reason", "unknown_verb"));
  out.wake_at = next_wake(now);
  return out;
}

void master::handle(step& s, const internal::Recovered& recovered) {
  ids_ = id_mint(recovered.id(), s.now.incarnation);
  elected_at_ = s.now.wall_now;
  for (const auto& key : damaged_) s.log(decision("registry.damaged").with("key", key));
  damaged_.clear();
  if (!agents_.recovered().empty())
    deadlines_.set({due::recovered_agents}, s.now.now + options_.agent_reregister_timeout);
  deadlines_.set({due::registry_gc}, s.now.now + options_.registry_gc_interval);
  for (const auto& [id, entry] : frameworks_.live()) {
    if (mutated(mutant::failover_timeout_forgotten)) break;
    if (wall_deadlines_.of({due::framework_return, id.value()})) continue;
    // It was connected when the former master ended; it has to find this one first, however short its own timeout is.
    const auto wait = std::max(failover_timeout(entry.info), options_.agent_reregister_timeout);
    wall_deadlines_.set({due::framework_return, id.value()}, s.now.wall_now + wait);
    remember_framework(s, entry);
  }
  reset_allocator(s);
  s.log(decision("master.recovered")
            .with("cluster", ids_.cluster())
            .with("epoch", ids_.epoch())
            .with("agents", agents_.recovered().size())
            .with("frameworks", frameworks_.live().size()));
}

void master::handle(step& s, const internal::TimerFired&) {
  while (auto key = deadlines_.take_due(s.now.now)) on_due(s, *key);
  while (auto key = wall_deadlines_.take_due(s.now.wall_now)) on_due(s, *key);
  answer_questions(s);
}

void master::on_due(step& s, const deadline_key& key) {
  auto* agent = agents_.find(agent_id(key.first));
  switch (key.what) {
    case due::ping:
      if (agent) on_ping_due(s, *agent);
      return;
    case due::agent_return:
      if (agent) on_agent_unreachable(s, *agent, "did_not_register_again");
      return;
    case due::recovered_agents:
      return on_recovered_agents_overdue(s);
    case due::offer:
      return rescind(s, offer_id(key.first), "timeout");
    case due::kill:
      return on_kill_due(s, key);
    case due::registry_gc:
      return on_registry_gc_due(s);
    case due::framework_return:
      return remove_framework(s, framework_id(key.first), "failover_timeout");
  }
}

std::optional<monotonic_time> master::next_wake(const context& now) const {
  if (!frameworks_.asking().empty()) return now.now;
  auto wake = deadlines_.earliest();
  if (const auto at = wall_deadlines_.earliest()) {
    const auto as_monotonic = later(now.now, *at - now.wall_now);
    if (!wake || as_monotonic < *wake) wake = as_monotonic;
  }
  return wake;
}

registered_agent* master::speaking_agent(step& s, const v1::AgentID& claimed, const char* what) {
  auto* agent = agents_.at(s.head.from());
  const char* reason = nullptr;
  if (!agent)
    reason = "agent_not_registered";
  else if (agent->id != agent_id(claimed))
    reason = "not_its_own_id";
  if (!reason) return agent;
  s.log(decision("letter.dropped")
            .with("verb", what)
            .with("from", s.head.from())
            .with("agent", agent_id(claimed))
            .with("reason", reason));
  return nullptr;
}

framework* master::speaking_framework(step& s, const char* what) {
  auto* entry = frameworks_.at(s.head.from());
  if (!entry)
    s.log(decision("letter.dropped").with("verb", what).with("from", s.head.from()).with("reason", "not_subscribed"));
  return entry;
}

}  // namespace troupe
