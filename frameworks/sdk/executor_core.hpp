#pragma once

#include "frameworks/sdk/executor.hpp"
#include "troupe/internal/sdk_state.pb.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::sdk {

struct executor_core_options {
  v1::FrameworkID framework_id;
  v1::ExecutorID executor_id;
  std::chrono::milliseconds subscribe_retry{1000};
  /// A subscription is repeated so often although it stands: whatever was lost on the way is said again then, by both.
  std::chrono::milliseconds check_in{std::chrono::minutes(1)};
  std::chrono::milliseconds recovery_timeout{std::chrono::minutes(15)};  ///< without an agent for this long it ends
  std::chrono::milliseconds linger{std::chrono::seconds(5)};             ///< for acknowledgements, after stop
  /// The executor knows nothing of tasks that are remembered: it is the first in its process.
  bool started_anew = true;
};

/// The core around an executor: subscribes, remembers and repeats what is not acknowledged, ends when its agent says so
/// or stays away. At its end it says ProgramEvent{"exit", code in decimal} to runtime/local.
class executor_core {
 public:
  using hears = custom_executor_hears;
  using state_message = internal::CustomExecutorState;

  executor_core(std::shared_ptr<executor> logic, executor_core_options options);

  void remember(std::string_view key, std::string_view record);
  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now);
  internal::CustomExecutorState save() const;
  void load(const internal::CustomExecutorState& state);
  std::shared_ptr<const google::protobuf::Message> look(const std::string& what) const;
  void check_invariants() const;

  void handle(step& s, const internal::Recovered& m);
  void handle(step& s, const internal::TimerFired& m);
  void handle(step& s, const internal::PeerConnected& m);
  void handle(step& s, const internal::PeerDisconnected& m);
  void handle(step& s, const internal::ProgramEvent& m);
  void handle(step& s, const v1::executor::Event::Subscribed& m);
  void handle(step& s, const v1::executor::Event::Launch& m);
  void handle(step& s, const v1::executor::Event::Kill& m);
  void handle(step& s, const v1::executor::Event::Acknowledged& m);
  void handle(step& s, const v1::executor::Event::Message& m);
  void handle(step& s, const v1::executor::Event::Error& m);
  void handle(step& s, const internal::ShutdownExecutor& m);

 private:
  void subscribe(step& s);
  void say_update(step& s, const v1::TaskStatus& status);
  void acknowledge_task(step& s, const task_id& id, bool ended);
  static void begin_when_durable(step& s, const task_id& id);
  void begin(step& s, const task_id& id);
  void report_taken_up(step& s, const std::vector<v1::TaskInfo>& tasks);
  template <class Event>
  void tell(step& s, Event event);
  void end(step& s);

  std::shared_ptr<executor> logic_;
  executor_core_options options_;
  Address agent_;  // whom the link leads to
  bool subscribed_ = false;
  bool ended_ = false;
  std::optional<monotonic_time> subscribe_at_;
  std::optional<monotonic_time> give_up_at_;
  std::optional<int> exit_code_;
  // Until their end is acknowledged, so that a launch heard twice runs once.
  std::map<task_id, internal::ExecutorTaskRecord> tasks_;
  // By number, which rises for as long as the executor lives.
  std::map<std::uint64_t, v1::TaskStatus> unacknowledged_;
  std::uint64_t next_update_ = 1;
};

}  // namespace troupe::sdk
