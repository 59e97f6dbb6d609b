#include "actors/master/made_status.hpp"
#include "actors/master/master.hpp"

namespace troupe {

namespace {

using view_message = internal::MasterView;

void show_tasks(const task_ring& ring, google::protobuf::RepeatedPtrField<v1::Task>* list) {
  for (const auto& [age, task] : ring.by_age()) *list->Add() = task;
}

void show_absent(const std::map<agent_id, absent_agent>& agents,
                 google::protobuf::RepeatedPtrField<view_message::AbsentAgent>* list) {
  for (const auto& [id, agent] : agents) {
    auto* shown = list->Add();
    *shown->mutable_info() = agent.info;
    *shown->mutable_since() = time_info(agent.since);
  }
}

void show_agent(const registered_agent& agent, view_message::Agent* shown) {
  *shown->mutable_info() = agent.info;
  *shown->mutable_address() = agent.at;
  shown->set_active(agent.connected);
  shown->set_version(agent.version);
  *shown->mutable_registered_time() = time_info(agent.registered_at);
  if (agent.reregistered_at) *shown->mutable_reregistered_time() = time_info(*agent.reregistered_at);
  agent.total.add_to(shown->mutable_total());
  agent.used.add_to(shown->mutable_used());
  agent.offered.add_to(shown->mutable_offered());
  shown->set_pings_missed(agent.pings_missed);
}

void show_completed(const completed_framework& entry, view_message::Framework* shown) {
  *shown->mutable_info() = entry.info;
  *shown->mutable_registered_time() = time_info(entry.registered_at);
  if (entry.reregistered_at) *shown->mutable_reregistered_time() = time_info(*entry.reregistered_at);
  *shown->mutable_unregistered_time() = time_info(entry.unregistered_at);
  show_tasks(entry.unreachable, shown->mutable_unreachable_tasks());
  show_tasks(entry.completed, shown->mutable_completed_tasks());
}

}  // namespace

void master::show_framework(const framework& entry, internal::MasterView::Framework* shown) const {
  *shown->mutable_info() = entry.info;
  if (entry.at) *shown->mutable_address() = *entry.at;
  shown->set_connected(entry.connected());
  shown->set_recovered(entry.registered_at == wall_time{});
  *shown->mutable_registered_time() = time_info(entry.registered_at);
  if (entry.reregistered_at) *shown->mutable_reregistered_time() = time_info(*entry.reregistered_at);
  if (const auto deadline = wall_deadlines_.of({due::framework_return, entry.id.value()}))
    *shown->mutable_failover_deadline() = time_info(*deadline);
  for (const auto& role : entry.suppressed) shown->add_suppressed_roles(role);
  resources used;
  for (const auto& [id, task] : entry.tasks) {
    used += task.charged;
    *shown->add_tasks() = task.task;
  }
  for (const auto& id : agents_of(entry)) {
    const auto& executors = agents_.find(id)->executors;
    for (auto one = executors.lower_bound({entry.id, executor_id()});
         one != executors.end() && one->first.first == entry.id; ++one) {
      used += one->second.charged;
      auto* executor = shown->add_executors();
      *executor->mutable_agent_id() = id.proto();
      *executor->mutable_info() = one->second.info;
    }
  }
  used.add_to(shown->mutable_used());
  show_tasks(entry.unreachable, shown->mutable_unreachable_tasks());
  show_tasks(entry.completed, shown->mutable_completed_tasks());
  resources offered;
  for (const auto& id : offers_.of_framework(entry.id)) {
    const auto& open = *offers_.find(id);
    offered += open.what;
    *shown->add_offers() = described(open, entry, *agents_.find(open.agent));
  }
  offered.add_to(shown->mutable_offered());
}

std::shared_ptr<const google::protobuf::Message> master::look(const std::string& what) const {
  auto shown = std::make_shared<internal::MasterView>();
  *shown->mutable_master() = master_info();
  shown->set_cluster_id(ids_.cluster());
  shown->set_epoch(ids_.epoch());
  *shown->mutable_elected_time() = time_info(elected_at_);
  if (what.empty() || what == "agents") {
    for (const auto& [id, agent] : agents_.registered()) show_agent(agent, shown->add_agents());
    for (const auto& [id, agent] : agents_.recovered()) *shown->add_recovered_agents() = agent.info;
    show_absent(agents_.unreachable(), shown->mutable_unreachable_agents());
    show_absent(agents_.gone(), shown->mutable_gone_agents());
  }
  if (what.empty() || what == "frameworks") {
    for (const auto& [id, entry] : frameworks_.live()) show_framework(entry, shown->add_frameworks());
    for (const auto& entry : frameworks_.completed()) show_completed(entry, shown->add_completed_frameworks());
  }
  for (const auto& [role, weight] : weights_) {
    auto* entry = shown->add_weights();
    entry->set_role(role);
    entry->set_weight(weight);
  }
  return shown;
}

}  // namespace troupe
