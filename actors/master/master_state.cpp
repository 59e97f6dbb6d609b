#include "actors/master/master.hpp"
#include "protocol/task_state.hpp"

#include <utility>

namespace troupe {

namespace {

using state_message = internal::MasterState;

std::int64_t ns(wall_time at) {
  return at.time_since_epoch().count();
}
wall_time wall(std::int64_t count) {
  return wall_time(std::chrono::nanoseconds(count));
}

void save_ring(const task_ring& ring, google::protobuf::RepeatedPtrField<v1::Task>* list) {
  for (const auto& [age, task] : ring.by_age()) *list->Add() = task;
}

task_ring load_ring(const google::protobuf::RepeatedPtrField<v1::Task>& list, std::size_t count_max) {
  task_ring ring(count_max);
  for (const auto& task : list) ring.push(task);
  return ring;
}

void save_absent(const std::map<agent_id, absent_agent>& agents,
                 google::protobuf::RepeatedPtrField<state_message::AbsentAgent>* list) {
  for (const auto& [id, agent] : agents) {
    auto* saved = list->Add();
    *saved->mutable_info() = agent.info;
    *saved->mutable_address() = agent.at;
    saved->set_since_wall_ns(ns(agent.since));
  }
}

absent_agent load_absent(const state_message::AbsentAgent& saved) {
  return {saved.info(), saved.address(), wall(saved.since_wall_ns())};
}

void save_agent(const registered_agent& agent, state_message::Agent* saved) {
  *saved->mutable_info() = agent.info;
  saved->set_version(agent.version);
  *saved->mutable_address() = agent.at;
  saved->set_connected(agent.connected);
  saved->set_registered_wall_ns(ns(agent.registered_at));
  if (agent.reregistered_at) saved->set_reregistered_wall_ns(ns(*agent.reregistered_at));
  saved->set_ping_number(agent.ping_number);
  saved->set_ping_outstanding(agent.ping_outstanding);
  saved->set_pings_missed(agent.pings_missed);
  for (const auto& [key, executor] : agent.executors) {
    auto* entry = saved->add_executors();
    *entry->mutable_info() = executor.info;
    entry->set_unlisted(executor.unlisted);
    executor.charged.add_to(entry->mutable_charged());
  }
}

/// Without its tasks, which are saved with their frameworks.
registered_agent load_agent(const state_message::Agent& saved) {
  registered_agent agent;
  agent.id = agent_id(saved.info().id());
  agent.info = saved.info();
  agent.version = saved.version();
  agent.at = saved.address();
  agent.connected = saved.connected();
  agent.registered_at = wall(saved.registered_wall_ns());
  if (saved.has_reregistered_wall_ns()) agent.reregistered_at = wall(saved.reregistered_wall_ns());
  agent.ping_number = saved.ping_number();
  agent.ping_outstanding = saved.ping_outstanding();
  agent.pings_missed = saved.pings_missed();
  agent.total = resources::from(saved.info().resources()).value();
  for (const auto& entry : saved.executors()) {
    executor_entry executor{entry.info(), resources::from(entry.charged()).value(), entry.unlisted()};
    agent.used += executor.charged.unallocated();
    agent.executors.emplace(executor_key(entry.info().framework_id(), entry.info().executor_id()), std::move(executor));
  }
  return agent;
}

void save_framework(const framework& entry, state_message::Framework* saved) {
  *saved->mutable_info() = entry.info;
  if (entry.at) *saved->mutable_address() = *entry.at;
  saved->set_registered_wall_ns(ns(entry.registered_at));
  if (entry.reregistered_at) saved->set_reregistered_wall_ns(ns(*entry.reregistered_at));
  for (const auto& role : entry.suppressed) saved->add_suppressed_roles(role);
  for (const auto& [id, task] : entry.tasks) {
    auto* one = saved->add_tasks();
    *one->mutable_task() = task.task;
    if (!task.kill) continue;
    if (task.kill->policy) *one->mutable_kill()->mutable_policy() = *task.kill->policy;
    one->mutable_kill()->set_wait_ns(task.kill->wait.count());
  }
  save_ring(entry.unreachable, saved->mutable_unreachable_tasks());
  save_ring(entry.completed, saved->mutable_completed_tasks());
  for (const auto& [id, policy] : entry.away_kills) {
    auto* kill = saved->add_away_kills();
    *kill->mutable_task_id() = id.proto();
    if (policy) *kill->mutable_policy() = *policy;
  }
  for (const auto& [id, question] : entry.questions) {
    auto* asked = saved->add_questions();
    *asked->mutable_task_id() = id.proto();
    if (question.agent) *asked->mutable_agent_id() = question.agent->proto();
    asked->set_implied(question.implied);
  }
}

tracked_task load_task(const state_message::Task& saved) {
  tracked_task task{saved.task(), {}, std::nullopt};
  if (holds_resources(task.task.state())) task.charged = resources::from(task.task.resources()).value();
  if (!saved.has_kill()) return task;
  task.kill = pending_kill{std::nullopt, std::chrono::nanoseconds(saved.kill().wait_ns())};
  if (saved.kill().has_policy()) task.kill->policy = saved.kill().policy();
  return task;
}

framework load_framework(const state_message::Framework& saved, const master_options& options) {
  framework entry;
  entry.id = framework_id(saved.info().id());
  entry.info = saved.info();
  if (saved.has_address()) entry.at = saved.address();
  entry.registered_at = wall(saved.registered_wall_ns());
  if (saved.has_reregistered_wall_ns()) entry.reregistered_at = wall(saved.reregistered_wall_ns());
  entry.suppressed = {saved.suppressed_roles().begin(), saved.suppressed_roles().end()};
  for (const auto& one : saved.tasks()) entry.tasks.emplace(task_id(one.task().task_id()), load_task(one));
  entry.unreachable = load_ring(saved.unreachable_tasks(), options.unreachable_tasks_max);
  entry.completed = load_ring(saved.completed_tasks(), options.completed_tasks_max);
  for (const auto& kill : saved.away_kills())
    entry.away_kills[task_id(kill.task_id())] = kill.has_policy() ? std::optional(kill.policy()) : std::nullopt;
  for (const auto& asked : saved.questions()) {
    auto& question = entry.questions[task_id(asked.task_id())];
    question = question_of(asked);
    question.implied = asked.implied();
  }
  return entry;
}

void save_completed(const completed_framework& entry, state_message::Framework* saved) {
  *saved->mutable_info() = entry.info;
  saved->set_registered_wall_ns(ns(entry.registered_at));
  if (entry.reregistered_at) saved->set_reregistered_wall_ns(ns(*entry.reregistered_at));
  saved->set_unregistered_wall_ns(ns(entry.unregistered_at));
  save_ring(entry.unreachable, saved->mutable_unreachable_tasks());
  save_ring(entry.completed, saved->mutable_completed_tasks());
}

completed_framework load_completed(const state_message::Framework& saved, const master_options& options) {
  completed_framework entry;
  entry.info = saved.info();
  entry.registered_at = wall(saved.registered_wall_ns());
  if (saved.has_reregistered_wall_ns()) entry.reregistered_at = wall(saved.reregistered_wall_ns());
  entry.unregistered_at = wall(saved.unregistered_wall_ns());
  entry.unreachable = load_ring(saved.unreachable_tasks(), options.unreachable_tasks_max);
  entry.completed = load_ring(saved.completed_tasks(), options.completed_tasks_max);
  return entry;
}

void save_offer(const offer& entry, state_message::Offer* saved) {
  *saved->mutable_id() = entry.id.proto();
  *saved->mutable_framework_id() = entry.framework.proto();
  *saved->mutable_agent_id() = entry.agent.proto();
  saved->set_role(entry.role);
  entry.what.add_to(saved->mutable_resources());
  saved->set_offered_ns(entry.offered_at.time_since_epoch().count());
}

offer load_offer(const state_message::Offer& saved) {
  return {offer_id(saved.id()),
          framework_id(saved.framework_id()),
          agent_id(saved.agent_id()),
          saved.role(),
          resources::from(saved.resources()).value(),
          monotonic_time(std::chrono::nanoseconds(saved.offered_ns()))};
}

}  // namespace

internal::MasterState master::save() const {
  internal::MasterState state;
  state.set_cluster_id(ids_.cluster());
  state.set_epoch(ids_.epoch());
  state.set_elected_wall_ns(ns(elected_at_));
  state.set_next_agent(ids_.next().agents);
  state.set_next_framework(ids_.next().frameworks);
  state.set_next_offer(ids_.next().offers);
  for (const auto& [id, agent] : agents_.registered()) save_agent(agent, state.add_agents());
  save_absent(agents_.recovered(), state.mutable_recovered_agents());
  save_absent(agents_.unreachable(), state.mutable_unreachable_agents());
  save_absent(agents_.gone(), state.mutable_gone_agents());
  for (const auto& [id, entry] : frameworks_.live()) save_framework(entry, state.add_frameworks());
  for (const auto& entry : frameworks_.completed()) save_completed(entry, state.add_completed_frameworks());
  for (const auto& [id, since] : frameworks_.removed()) {
    auto* saved = state.add_removed_frameworks();
    *saved->mutable_id() = id.proto();
    saved->set_since_wall_ns(ns(since));
  }
  for (const auto& [id, entry] : offers_.all()) save_offer(entry, state.add_offers());
  for (const auto& [role, weight] : weights_) {
    auto* saved = state.add_weights();
    saved->set_role(role);
    saved->set_weight(weight);
  }
  deadlines_.save(state.mutable_deadlines());
  wall_deadlines_.save(state.mutable_wall_deadlines());
  for (const auto& key : damaged_) state.add_damaged_keys(key);
  if (!answered_last_.empty()) state.set_answered_last(answered_last_.value());
  return state;
}

master master::load(const internal::MasterState& state, master_options options) {
  master loaded(std::move(options));
  loaded.ids_ = id_mint(state.cluster_id(), state.epoch());
  loaded.ids_.resume({state.next_agent(), state.next_framework(), state.next_offer()});
  loaded.elected_at_ = wall(state.elected_wall_ns());
  for (const auto& saved : state.recovered_agents()) loaded.agents_.add_recovered(load_absent(saved));
  for (const auto& saved : state.unreachable_agents()) loaded.agents_.add_unreachable(load_absent(saved));
  for (const auto& saved : state.gone_agents()) loaded.agents_.add_gone(load_absent(saved));
  for (const auto& saved : state.agents()) loaded.agents_.admit(load_agent(saved));
  for (const auto& saved : state.frameworks()) {
    const auto& entry = loaded.frameworks_.add(load_framework(saved, loaded.options_));
    for (const auto& [id, task] : entry.tasks) {
      auto& agent = *loaded.agents_.find(agent_id(task.task.agent_id()));
      agent.tasks.emplace(entry.id, id);
      loaded.charge(agent, task.charged);
    }
  }
  for (const auto& saved : state.completed_frameworks())
    loaded.frameworks_.add_completed(load_completed(saved, loaded.options_), loaded.options_.completed_frameworks_max);
  for (const auto& saved : state.removed_frameworks())
    loaded.frameworks_.add_removed(framework_id(saved.id()), wall(saved.since_wall_ns()));
  for (const auto& saved : state.offers()) {
    auto entry = load_offer(saved);
    loaded.agents_.find(entry.agent)->offered += entry.what.unallocated();
    loaded.offers_.add(std::move(entry));
  }
  for (const auto& saved : state.weights()) loaded.weights_[saved.role()] = saved.weight();
  loaded.deadlines_.load(state.deadlines());
  loaded.wall_deadlines_.load(state.wall_deadlines());
  loaded.answered_last_ = framework_id(state.answered_last());
  loaded.damaged_ = {state.damaged_keys().begin(), state.damaged_keys().end()};
  return loaded;
}

}  // namespace troupe
