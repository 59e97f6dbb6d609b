#pragma once

#include "frameworks/sdk/scheduler.hpp"
#include "protocol/resources.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace troupe {

/// What `troupe run` was asked to run.
struct run_request {
  v1::CommandInfo command;
  resources needs;  ///< of one instance
  std::string name;
  std::string role = "*";
  std::string user;
  unsigned instances = 1;
  std::map<std::string, v1::Value::Scalar> limits;  ///< by resource name; where absent the request is the limit
  std::chrono::nanoseconds kill_grace = std::chrono::seconds(3);
};

/// One instance as it is known now.
struct run_instance {
  unsigned index = 0;  ///< stays when the instance is tried again under another task id
  task_id task;
  framework_id framework;  ///< once launched
  bool launched = false;
  v1::TaskStatus status;  ///< the latest
  std::string agent_url;  ///< http://host:port, or https, of the agent where it runs
  std::string agent_hostname;
};

/// The scheduler of `troupe run`: launches the instances on whatever offers fit, starts those again that never ran
/// (lost or dropped before they started), and ends when all have ended.
class run_scheduler : public sdk::scheduler {
 public:
  /// `changed` is told of each instance that changed; called within a step, so it must only take note.
  run_scheduler(run_request request, std::function<void(const run_instance&)> changed);

  v1::FrameworkInfo describe() const override;
  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override;
  void on_status(sdk::calls& call, const v1::TaskStatus& status) override;
  void on_error(sdk::calls& call, const std::string& message) override;
  /// "interrupt": kill what runs, launch no more.
  void on_program_event(sdk::calls& call, const std::string& name, const std::string& data) override;

  // After the end.
  bool interrupted() const { return interrupted_; }
  /// Why the master would not have this framework; empty if it would.
  const std::string& refusal() const { return refusal_; }

 private:
  unsigned fitting(const v1::Offer& offer) const;
  void launch(sdk::calls& call, const v1::Offer& offer, unsigned count);
  v1::TaskInfo task_of(const run_instance& instance) const;
  void retry(run_instance& instance);
  bool is_over(v1::TaskState state) const;
  void end_if_done(sdk::calls& call);

  run_request request_;
  std::function<void(const run_instance&)> changed_;
  std::map<task_id, run_instance> instances_;  // launched and not
  std::vector<task_id> waiting_;               // to be launched, last first
  unsigned attempts_ = 0;
  bool interrupted_ = false;
  std::string refusal_;
};

}  // namespace troupe
