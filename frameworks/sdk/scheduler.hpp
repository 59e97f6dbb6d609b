#pragma once

#include "actors/runtime/step.hpp"
#include "protocol/ids.hpp"

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

/// Writing a framework: derive from `scheduler`, answer events with calls. A scheduler is pure: it gets the time as an
/// argument and does nothing but calls, so it can be tried in a loop, in a simulator, and recovered from its store.
namespace troupe::sdk {

/// What a scheduler may do in answer to an event. Nothing leaves before the event's step is durable. Valid only during
/// the event.
class calls {
 public:
  calls(step& s, const framework_id& framework, std::optional<monotonic_time>& wake, std::optional<int>& exit_code)
      : step_(s), framework_(framework), wake_(wake), exit_code_(exit_code) {}

  /// Launches tasks on an offer; what they leave is declined with `filters`. task.agent_id is filled in from the offer.
  void launch(const v1::Offer& offer, std::vector<v1::TaskInfo> tasks, const v1::Filters& filters = {});
  void accept(const std::vector<offer_id>& offers, const std::vector<v1::Offer::Operation>& operations,
              const v1::Filters& filters = {});
  void decline(const v1::Offer& offer, std::chrono::milliseconds refuse = std::chrono::seconds(5));
  /// All of them in one call; none: nothing is said.
  void decline(const std::vector<offer_id>& offers, std::chrono::milliseconds refuse = std::chrono::seconds(5));
  /// No roles: all of the framework's.
  void revive(const std::vector<std::string>& roles = {});
  void suppress(const std::vector<std::string>& roles = {});
  void kill(const task_id& task, std::optional<agent_id> agent = {},
            std::optional<std::chrono::milliseconds> grace = {});
  /// No tasks: asks about all that the master knows of. Of each named one the question is repeated, with growing
  /// pauses, until on_status hears of it or the subscription ends.
  void reconcile(const std::vector<v1::TaskStatus>& tasks = {});
  /// A message of the framework's own to one of its executors, best effort. See typed_message.hpp.
  void send(const agent_id& agent, const executor_id& executor, const google::protobuf::Message& message);
  void shutdown(const agent_id& agent, const executor_id& executor);

  /// Ends the framework: its tasks are killed, its id is never usable again; then the program ends with `exit_code`.
  void teardown(int exit_code);
  /// Ends the program; the framework's tasks run on until its failover timeout.
  void stop(int exit_code) { exit_code_ = exit_code; }

  /// A record of the scheduler's own, recovered by scheduler::remember after a crash. Keys are the scheduler's to
  /// choose.
  void put(const std::string& key, const google::protobuf::Message& record);
  void erase(const std::string& key);

  /// on_timer is called at `at` at the latest. Each event may ask anew; the earliest wish counts.
  void wake_at(monotonic_time at);

  void log(std::string line) { step_.log(std::move(line)); }
  const context& now() const { return step_.now; }
  const framework_id& framework() const { return framework_; }

 private:
  step& step_;
  const framework_id& framework_;
  std::optional<monotonic_time>& wake_;
  std::optional<int>& exit_code_;
};

/// A framework's brain. Status updates are acknowledged when on_status returns, after what it put is durable.
class scheduler {
 public:
  virtual ~scheduler() = default;

  /// Name, user, roles, failover timeout, capabilities. The id is kept by the SDK.
  virtual v1::FrameworkInfo describe() const = 0;

  virtual void on_offers(calls& call, const std::vector<v1::Offer>& offers) = 0;
  virtual void on_status(calls& call, const v1::TaskStatus& status) = 0;

  /// (Again) subscribed: the SDK has already asked for reconciliation of all tasks.
  virtual void on_subscribed(calls&) {}
  virtual void on_disconnected(calls&) {}
  virtual void on_rescinded(calls&, const offer_id&) {}
  virtual void on_message(calls&, const agent_id&, const executor_id&, const std::string& /*bytes*/) {}
  /// An agent is lost (no executor), or an executor exited with a wait(2) status.
  virtual void on_failure(calls&, const v1::scheduler::Event::Failure&) {}
  /// The master refuses this framework; the program ends with exit code 1 unless the scheduler stops it otherwise. Says
  /// so on stderr where it is not overridden.
  virtual void on_error(calls&, const std::string& message);
  virtual void on_timer(calls&) {}
  /// From the program around it (`scheduler_program::tell`), for instance "interrupt" on Ctrl-C.
  virtual void on_program_event(calls&, const std::string& /*name*/, const std::string& /*data*/) {}

  /// One record of an earlier incarnation, by rising key, before any event.
  virtual void remember(const std::string& /*key*/, std::string_view /*record*/) {}
};

}  // namespace troupe::sdk
