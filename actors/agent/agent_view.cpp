#include "actors/agent/agent.hpp"
#include "protocol/task_state.hpp"

/// The agent as people and tools see it.
namespace troupe {

namespace {

const char* phase_name(hosted_executor::phase phase) {
  switch (phase) {
    case internal::AgentState::Executor::REGISTERING:
      return "registering";
    case internal::AgentState::Executor::RUNNING:
      return "running";
    case internal::AgentState::Executor::TERMINATING:
      return "terminating";
    case internal::AgentState::Executor::TERMINATED:
      return "terminated";
  }
  return "terminated";
}

}  // namespace

internal::AgentView::Executor agent::executor_view(const hosted_executor& executor) const {
  internal::AgentView::Executor out;
  *out.mutable_info() = executor.record.info();
  *out.mutable_container_id() = executor.record.container_id();
  out.set_sandbox(executor.record.sandbox());
  out.set_built_in(executor.built_in());
  out.set_phase(phase_name(executor.at));
  for (const auto& id : executor.queue) *out.add_queued_tasks() = executor.tasks.at(id).info;
  for (const auto& [id, task] : executor.tasks)
    if (!task.queued) *out.add_tasks() = task_message(executor, task);
  for (const auto& task : executor.completed) *out.add_completed_tasks() = task;
  return out;
}

std::shared_ptr<const google::protobuf::Message> agent::look(const std::string&) const {
  auto view = std::make_shared<internal::AgentView>();
  *view->mutable_info() = info_with_id();
  view->set_instance_id(instance_id_);
  view->set_registered(registration_.registered());
  if (!registration_.refusal().empty()) view->set_refusal(registration_.refusal());
  view->set_dismissed(registration_.dismissed());
  view->set_cluster_id(self_.cluster_id());
  view->set_master_epoch(epoch());
  for (const auto& [fid, framework] : hosted_.all()) {
    auto* out = framework.executors.empty() ? view->add_completed_frameworks() : view->add_frameworks();
    *out->mutable_info() = framework.info;
    for (const auto& [eid, executor] : framework.executors) *out->add_executors() = executor_view(executor);
    for (const auto& executor : framework.completed) *out->add_completed_executors() = *executor;
  }
  std::uint64_t waiting = 0;
  for (const auto& [key, stream] : streams_) waiting += stream.updates().size();
  view->set_unacknowledged_updates(waiting);
  return view;
}

}  // namespace troupe
