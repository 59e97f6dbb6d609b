#pragma once

#include "actors/agent/agent_options.hpp"
#include "actors/agent/hosted_table.hpp"
#include "actors/agent/registration.hpp"
#include "actors/agent/status_stream.hpp"
#include "actors/runtime/moments.hpp"
#include "actors/runtime/step.hpp"
#include "protocol/ids.hpp"
#include "troupe/internal/agent_state.pb.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// One machine: takes tasks from the master, hands them to executors, and sees that what becomes of them is known.
///
/// A core (actors/runtime/step.hpp). Durable: who it is, what it hosts, and every update until it is acknowledged
/// (storage/keys.hpp, `agent/`); nothing of these is told before it is recorded. Whatever it asks of others is asked
/// again until it is answered, except where the message's own file says that it may be lost.
class agent {
 public:
  using hears = agent_hears;
  using state_message = internal::AgentState;

  explicit agent(agent_options options);

  void remember(std::string_view key, std::string_view record);
  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now);

  internal::AgentState save() const;
  static agent load(const internal::AgentState& state, agent_options options);

  /// Whatever is asked for: an internal::AgentView of everything.
  std::shared_ptr<const google::protobuf::Message> look(const std::string& what) const;
  void check_invariants() const;

  /// The highest epoch of a master that it has registered with; letters of masters with lower ones are refused.
  std::uint64_t epoch() const { return self_.epoch(); }
  /// The master has dismissed the agent, or its process has told it to leave, and every executor has ended: the process
  /// has nothing more to do.
  bool finished() const;

  // --- what it hears. agent.cpp
  // --------------------------------------------------------------------------------------------------
  void handle(step& s, const internal::TimerFired& fired);
  void handle(step& s, const internal::PeerConnected& peer);
  void handle(step& s, const internal::PeerDisconnected& peer);
  // agent_recovery.cpp
  void handle(step& s, const internal::Recovered& recovered);
  // agent_leaving.cpp
  void handle(step& s, const internal::ProgramEvent& event);
  // agent_registration.cpp
  void handle(step& s, const internal::AgentRegistered& registered);
  void handle(step& s, const internal::AgentRefused& refused);
  void handle(step& s, const internal::Ping& ping);
  // agent_run.cpp
  void handle(step& s, const internal::RunTask& run);
  void handle(step& s, const internal::FrameworkUpdated& updated);
  void handle(step& s, const internal::SendToExecutor& message);
  // agent_status.cpp
  void handle(step& s, const executor_api::Call::Update& update);
  void handle(step& s, const internal::AcknowledgeStatus& acknowledged);
  // agent_kill.cpp
  void handle(step& s, const internal::KillTask& kill);
  void handle(step& s, const internal::ReconcileTasks& reconcile);
  void handle(step& s, const internal::ShutdownFramework& shutdown);
  void handle(step& s, const internal::ShutdownExecutor& shutdown);
  // agent_executors.cpp
  void handle(step& s, const executor_api::Call::Subscribe& subscribe);
  void handle(step& s, const executor_api::Call::Message& message);
  void handle(step& s, const internal::ContainerLaunched& launched);
  void handle(step& s, const internal::ContainerLaunchFailed& failed);
  void handle(step& s, const internal::ContainerExited& exited);

 private:
  using stream_key = std::pair<framework_id, task_id>;
  using ending = internal::AgentState::Ending;

  // --- registration
  registration::backoff registration_waits() const;
  void seek_master(step& s, const std::string& reason);
  void attempt_registration(step& s);
  void tell_process(step& s, const std::string& what, const std::string& data) const;
  v1::AgentInfo info_with_id() const;
  agent_id id() const { return self_.info().id(); }

  // --- recovery
  bool refuse_configuration(step& s);
  void resume_executor(step& s, hosted_executor& executor);
  void give_up_executor(step& s, hosted_executor& executor, const std::string& message);
  static bool requeue(hosted_executor& executor);
  static ending restarted(const hosted_executor& executor, const std::string& message);
  void keep_containers(step& s) const;

  // --- run
  bool refuse_task(step& s, const v1::FrameworkInfo& framework, const v1::TaskInfo& info);
  void host_framework(step& s, const v1::FrameworkInfo& info);
  hosted_executor& host_executor(step& s, hosted_framework& framework, const v1::TaskInfo& info);
  void start_executor(step& s, const hosted_framework& framework, hosted_executor& executor);
  void await_subscription(step& s, hosted_executor& executor);
  void find_lost_launches(step& s, hosted_executor& executor, const executor_api::Call::Subscribe& subscribe,
                          bool say_again);
  void say_launch(step& s, const hosted_executor& executor, const hosted_task& task);
  void launch_queue(step& s, hosted_executor& executor);
  void say_kill(step& s, const hosted_executor& executor, const hosted_task& task);

  // --- status
  v1::TaskStatus own_status(v1::TaskState state, v1::TaskStatus::Reason reason, const std::string& message) const;
  void take_update(step& s, hosted_executor& executor, v1::TaskStatus status);
  std::optional<std::string> flaw_in(const hosted_executor& executor, const v1::TaskStatus& status) const;
  void publish(step& s, const framework_id& framework, const executor_id& executor, const task_id& task,
               v1::TaskStatus status);
  void note_state(step& s, const framework_id& framework, const v1::TaskStatus& status);
  void send_head(step& s, const stream_key& key, status_stream& stream);
  void send_heads_of(step& s, const framework_id& framework);
  void rest_streams();
  void complete_task(step& s, const stream_key& key);
  void list_refused_tasks(internal::ReregisterAgent& call);
  v1::Task task_message(const hosted_executor& executor, const hosted_task& task) const;
  void record_task(step& s, const hosted_executor& executor, const hosted_task& task);

  void report_absent(step& s, const stream_key& key, v1::TaskStatus::Reason reason, const std::string& message);

  // --- ending
  bool runs_something(const hosted_executor& executor) const;
  void end_executor(step& s, hosted_executor& executor, std::optional<ending> why);
  void destroy_executor(step& s, hosted_executor& executor);
  void retire(step& s, const hosted_executor& executor) const;
  void conclude_executor(step& s, hosted_executor& executor, const internal::ContainerExited* exit);
  v1::TaskStatus last_status(const hosted_executor& executor, const internal::ContainerExited* exit) const;
  void on_executor_timer(step& s, hosted_executor& executor);
  void settle_executor(step& s, const framework_id& framework, const executor_id& executor);
  void shut_down_framework(step& s, const framework_id& framework, const ending& why);
  void forget_tasks(step& s, hosted_executor& executor);
  void settle_framework(step& s, const framework_id& framework);
  void drop_stream(step& s, const stream_key& key);
  void tell_nobody(step& s, const framework_id& framework);
  void keep_completed(hosted_framework& framework, const hosted_executor& executor);

  internal::AgentView::Executor executor_view(const hosted_executor& executor) const;
  moment next_deadline() const;
  void expect(moment at);
  void find_soonest();

  agent_options options_;
  std::string instance_id_;
  internal::AgentSelfRecord self_;
  registration registration_;
  hosted_table hosted_;
  std::map<stream_key, status_stream> streams_;
  moment soonest_;                       // no stream and no executor is due earlier
  std::vector<framework_id> idle_;       // without executors, the longest idle first
  std::vector<std::string> unreadable_;  // records that could not be read, until they are reported
  // --- of one step only
  random_stream random_{0};
};

}  // namespace troupe
