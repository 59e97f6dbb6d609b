#include "actors/agent/agent.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"
#include "storage/keys.hpp"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <set>
#include <utility>

/// The conversations with the master about the agent itself:
/// protocol/proto/troupe/internal/{registration,liveness}.proto.
namespace troupe {

namespace {

std::chrono::nanoseconds ping_timeout_of(const internal::AgentRegistered& registered, const agent_options& options) {
  if (registered.total_ping_timeout_ms() == 0) return options.ping_timeout;
  constexpr std::uint64_t day_ms = std::uint64_t{24} * 3600 * 1000;
  return std::chrono::milliseconds(std::min(registered.total_ping_timeout_ms(), day_ms));
}

}  // namespace

registration::backoff agent::registration_waits() const {
  return {options_.registration_backoff, options_.registration_backoff_max};
}

void agent::seek_master(step& s, const std::string& reason) {
  if (registration_.dismissed()) return;
  s.log("agent.seeks_master agent=" + id().value() + " reason=" + reason);
  registration_.seek(s.now.now, random_, registration_waits());
  rest_streams();
}

/// The process around it serves the sandboxes, whose path has the id in it ("admitted"), and ends with it
/// ("dismissed").
void agent::tell_process(step& s, const std::string& what, const std::string& data) const {
  internal::ProgramEvent event;
  event.set_name(what);
  event.set_data(data);
  s.say(address(internal::RUNTIME, "local"), std::move(event));
}

v1::AgentInfo agent::info_with_id() const {
  auto info = options_.info;
  if (self_.info().has_id()) *info.mutable_id() = self_.info().id();
  return info;
}

/// Said whether or not a link to the master is known: a letter to nobody is dropped, and the next attempt follows.
void agent::attempt_registration(step& s) {
  registration_.attempted(s.now.now, random_, registration_waits());
  s.log("agent.asks_to_register agent=" + id().value() + " attempt=" + std::to_string(registration_.attempts()));
  if (id().empty()) {
    internal::RegisterAgent call;
    *call.mutable_info() = info_with_id();
    call.set_version(options_.version);
    call.set_cluster_id(self_.cluster_id());
    s.say(leader(), std::move(call));
    return;
  }
  internal::ReregisterAgent call;
  *call.mutable_info() = info_with_id();
  call.set_version(options_.version);
  call.set_cluster_id(self_.cluster_id());
  for (const auto& [fid, framework] : hosted_.all()) {
    if (framework.executors.empty()) continue;
    *call.add_frameworks() = framework.info;
    for (const auto& [eid, executor] : framework.executors) {
      const bool over = executor.terminated() && !mutated(mutant::ended_executor_reported);
      if (!executor.built_in() && !over) *call.add_executors() = executor.record.info();
      for (const auto& [tid, task] : executor.tasks)
        if (!(mutated(mutant::queued_tasks_not_reported) && task.queued))
          *call.add_tasks() = task_message(executor, task);
    }
  }
  list_refused_tasks(call);
  s.say(leader(), std::move(call));
}

/// Tasks that were never taken in, and whose end waits to be acknowledged: the master must not take them for lost.
void agent::list_refused_tasks(internal::ReregisterAgent& call) {
  std::set<framework_id> named;
  for (const auto& framework : call.frameworks()) named.insert(framework_id(framework.id()));
  for (const auto& [key, stream] : streams_) {
    const auto& [owner, task] = key;
    const auto* framework = hosted_.find(owner);
    if (stream.empty() || !framework || hosted_.find(owner, task)) continue;
    if (named.insert(owner).second) *call.add_frameworks() = framework->info;
    auto& listed = *call.add_tasks();
    listed.set_name(task.value());
    *listed.mutable_task_id() = task.proto();
    *listed.mutable_framework_id() = owner.proto();
    *listed.mutable_agent_id() = id().proto();
    listed.set_state(stream.latest());
    listed.set_status_update_state(stream.head().state());
    listed.set_status_update_uuid(stream.head().uuid());
  }
}

void agent::handle(step& s, const internal::AgentRegistered& registered) {
  std::string flaw;
  if (registered.agent_id().value().empty())
    flaw = "no_agent_id";
  else if (registered.epoch() < epoch())
    flaw = "deposed";
  else if (!id().empty() && id() != agent_id(registered.agent_id()))
    flaw = "other_agent_id";
  else if (!self_.cluster_id().empty() && self_.cluster_id() != registered.cluster_id())
    flaw = "other_cluster";
  if (!flaw.empty()) {
    s.log("agent.registration_ignored reason=" + flaw + " agent=" + registered.agent_id().value() +
          " epoch=" + std::to_string(registered.epoch()));
    return;
  }
  if (registration_.dismissed()) return;

  internal::AgentSelfRecord now;
  *now.mutable_info() = options_.info;
  *now.mutable_info()->mutable_id() = registered.agent_id();
  now.set_cluster_id(registered.cluster_id());
  now.set_epoch(registered.epoch());
  now.set_boot_id(options_.boot_id);
  if (!google::protobuf::util::MessageDifferencer::Equals(now, self_)) {
    self_ = std::move(now);
    s.put(keys::agent_self(), self_);
    tell_process(s, "admitted", id().value());
  }
  bool before = registration_.registered();
  registration_.accepted(s.now.now, ping_timeout_of(registered, options_));
  if (before) return;
  s.log("agent.registered agent=" + id().value() + " epoch=" + std::to_string(epoch()) +
        " streams=" + std::to_string(streams_.size()));
  for (auto& [key, stream] : streams_) send_head(s, key, stream);
}

void agent::handle(step& s, const internal::AgentRefused& refused) {
  if (registration_.leaving()) return;
  s.log("agent.refused agent=" + id().value() + " shutdown=" + (refused.shutdown() ? "true" : "false") +
        " reason=" + refused.reason() + " remedy=" + refused.remedy());
  auto reason = refused.remedy().empty() ? refused.reason() : refused.reason() + ". " + refused.remedy();
  if (!refused.shutdown()) {
    if (!registration_.registered()) registration_.refused(reason, s.now.now, registration_waits());
    return;
  }
  registration_.dismiss(reason);
  rest_streams();
  ending why;
  why.set_state(v1::TASK_KILLED);
  why.set_reason(v1::TaskStatus::REASON_AGENT_REMOVED);
  why.set_message("The master dismissed the agent: " + refused.reason());
  std::vector<container_id> containers;
  for (const auto& [fid, framework] : hosted_.all())
    for (const auto& [eid, executor] : framework.executors) containers.push_back(executor.container());
  for (const auto& container : containers)
    if (auto* executor = hosted_.find(container)) end_executor(s, *executor, why);
}

void agent::handle(step& s, const internal::Ping& ping) {
  if (id().empty()) return;
  registration_.pinged(s.now.now);
  internal::Pong pong;
  *pong.mutable_agent_id() = id().proto();
  pong.set_number(ping.number());
  s.say(leader(), std::move(pong));
  if (mutated(mutant::half_open_link_ignored)) return;
  if (!ping.connected() && registration_.registered()) seek_master(s, "master_calls_it_disconnected");
}

}  // namespace troupe
