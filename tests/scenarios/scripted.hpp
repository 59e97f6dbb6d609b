#pragma once

#include "frameworks/sdk/executor.hpp"
#include "frameworks/sdk/scheduler.hpp"

#include <string>
#include <utility>

namespace troupe::testing {

/// A scheduler that does what the scenario tells it, through the calls of the SDK, and nothing by itself: it holds
/// offers, and leaves the acknowledgements to the SDK. It has no state. What it is told is a program event whose name
/// is the verb to say and whose data is that message, or `exit`.
class scripted_scheduler final : public sdk::scheduler {
 public:
  explicit scripted_scheduler(v1::FrameworkInfo info) : info_(std::move(info)) {}

  v1::FrameworkInfo describe() const override { return info_; }
  void on_offers(sdk::calls&, const std::vector<v1::Offer>&) override {}
  void on_status(sdk::calls&, const v1::TaskStatus&) override {}
  void on_program_event(sdk::calls& call, const std::string& name, const std::string& data) override;

 private:
  v1::FrameworkInfo info_;
};

/// An executor whose tasks run as soon as they are launched, end when they are killed, and otherwise do what the
/// scenario tells it: the program event `report` with a v1::TaskStatus, `send` with text, `exit`. It has no state.
class scripted_executor final : public sdk::executor {
 public:
  void on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) override;
  void on_kill(sdk::executor_calls& call, const task_id& task) override;
  void on_program_event(sdk::executor_calls& call, const std::string& name, const std::string& data) override;
};

}  // namespace troupe::testing
