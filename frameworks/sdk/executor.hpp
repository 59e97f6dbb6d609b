#pragma once

#include "actors/runtime/step.hpp"
#include "protocol/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Writing an executor: one process that runs many tasks of one framework on one agent. Like a scheduler it only
/// answers events with calls; the work itself runs on threads of the program's, which report back through the
/// `tell_function` that it was made with.
///
/// What it was given and what it reported is remembered until it is acknowledged, in a journal of the executor's own.
/// An executor whose program is started again within its container (by a command that repeats it) takes up where it
/// was.
namespace troupe::sdk {

/// What an executor may do in answer to an event. Valid only during the event.
class executor_calls {
 public:
  executor_calls(step& s, std::vector<v1::TaskStatus>& updates, std::optional<int>& exit_code)
      : step_(s), updates_(updates), exit_code_(exit_code) {}

  /// Reports a task's state; delivered at least once, in order. Ids, time and uuid are filled in.
  void update(const task_id& task, v1::TaskState state, const std::string& message = {}, const std::string& data = {});
  /// A message of the framework's own to its scheduler, best effort. See typed_message.hpp.
  void send(const google::protobuf::Message& message);

  /// A record of the executor's own, given to executor::remember when its program is started again. Keys are the
  /// executor's to choose. Nothing that this event says leaves before the record is durable.
  void put(const std::string& key, const google::protobuf::Message& record);
  void erase(const std::string& key);

  /// Ends the program, once every update is acknowledged or a few seconds have passed.
  void stop(int exit_code) { exit_code_ = exit_code; }
  void log(std::string line) { step_.log(std::move(line)); }
  const context& now() const { return step_.now; }

 private:
  step& step_;
  std::vector<v1::TaskStatus>& updates_;
  std::optional<int>& exit_code_;
};

class executor {
 public:
  virtual ~executor() = default;

  /// The task is on record: if the program ends from here on, the next is told of it in on_recovered, begun or not.
  virtual void on_launch(executor_calls& call, const v1::TaskInfo& task) = 0;
  /// The task should end and be reported TASK_KILLED.
  virtual void on_kill(executor_calls& call, const task_id& task) = 0;
  /// First event: who this executor, its framework and its agent are. Again after each reconnection.
  virtual void on_subscribed(executor_calls&, const v1::executor::Event::Subscribed&) {}
  virtual void on_message(executor_calls&, const std::string& /*bytes*/) {}
  /// Whatever still runs must end now; the program ends when this returns.
  virtual void on_shutdown(executor_calls&) {}
  virtual void on_program_event(executor_calls&, const std::string& /*name*/, const std::string& /*data*/) {}

  /// One record of an earlier incarnation, by rising key, before any event.
  virtual void remember(const std::string& /*key*/, std::string_view /*record*/) {}
  /// First event of a program that was started again: what an earlier one was given and had reported no end of; it may
  /// not have begun them all. Of each the agent and the framework think that it runs: of one that nothing was reported
  /// of, and is not now, TASK_RUNNING is. Unless this is overridden they are told that all have failed.
  virtual void on_recovered(executor_calls& call, const std::vector<v1::TaskInfo>& tasks);
};

}  // namespace troupe::sdk
