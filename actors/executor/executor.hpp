#pragma once

#include "actors/executor/executor_options.hpp"
#include "actors/runtime/moments.hpp"
#include "actors/runtime/step.hpp"
#include "protocol/ids.hpp"
#include "troupe/internal/executor_state.pb.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace troupe {

/// The built-in executor: runs the command of a command task in a container and reports what becomes of it.
///
///     Launch ─► STARTING, LaunchContainer ─► ContainerLaunched: RUNNING ─► ContainerExited: FINISHED | FAILED | KILLED
///
/// A core (actors/runtime/step.hpp) without records: what it must know after a failure, its agent and the containerizer
/// remember. A new incarnation is told of every task that has not ended, launches it again under the same container id,
/// which the containerizer answers as it answered the first time, and reports again what it had reported, under the
/// same uuids, which the agent recognises. The agent retires it.
class executor {
 public:
  using hears = executor_hears;
  using state_message = internal::ExecutorState;

  explicit executor(executor_options options);

  void remember(std::string_view, std::string_view) {}
  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now);

  internal::ExecutorState save() const { return state_; }
  static executor load(const internal::ExecutorState& state, executor_options options);

  /// Whatever is asked for: all of its state.
  std::shared_ptr<const google::protobuf::Message> look(const std::string& what) const;
  void check_invariants() const;

  // --- what it hears: executor.cpp
  // -----------------------------------------------------------------------------------------------
  void handle(step& s, const internal::Recovered& recovered);
  void handle(step& s, const internal::TimerFired& fired);
  void handle(step& s, const internal::PeerConnected& peer);
  void handle(step& s, const internal::PeerDisconnected& peer);
  void handle(step& s, const executor_api::Event::Subscribed& subscribed);
  void handle(step& s, const executor_api::Event::Acknowledged& acknowledged);
  void handle(step& s, const executor_api::Event::Message& message);
  void handle(step& s, const executor_api::Event::Error& error);
  // executor_tasks.cpp
  void handle(step& s, const executor_api::Event::Launch& launch);
  // executor_kill.cpp
  void handle(step& s, const executor_api::Event::Kill& kill);
  void handle(step& s, const internal::ShutdownExecutor& shutdown);
  // executor_containers.cpp
  void handle(step& s, const internal::ContainerLaunched& launched);
  void handle(step& s, const internal::ContainerLaunchFailed& failed);
  void handle(step& s, const internal::ContainerExited& exited);

 private:
  using task = internal::ExecutorState::Task;

  // --- subscription and updates
  void subscribe(step& s);
  void report(step& s, const task_id& id, v1::TaskStatus status);
  void report_state(step& s, task& t, v1::TaskState state);

  // --- tasks
  bool knows(const task_id& id) const;
  task* find(const task_id& id);
  task* find_by_container(const container_id& id);
  container_id further_container(const task_id& id) const;
  void release_further(step& s, const task_id& id) const;
  void launch(step& s, const task& t);
  void end(step& s, const task& t, v1::TaskStatus outcome);
  v1::Environment environment_of(const task& t) const;

  // --- ending them
  void kill(step& s, task& t, std::chrono::nanoseconds grace);
  void kill_again(step& s, task& t);
  void destroy(step& s, task& t);
  std::chrono::nanoseconds grace_of(const task& t, const v1::KillPolicy* asked) const;
  void on_task_timer(step& s, task& t);

  bool kills_visibly() const;
  moment next_deadline() const;

  executor_options options_;
  internal::ExecutorState state_;
};

}  // namespace troupe
