#pragma once

#include "frameworks/sdk/scheduler.hpp"

#include <map>
#include <set>
#include <string>

namespace troupe::test {

/// A framework that remembers: its wishes, what it has launched, what it was told and what it wants ended are records.
/// It launches each wish once, on the first offer there is, and asks after whatever has not ended, again and again.
///
/// Program events: `want` with a v1::TaskInfo, whose name is its id too; `kill` with a name; `tear down`.
class remembering_scheduler final : public sdk::scheduler {
 public:
  v1::FrameworkInfo describe() const override;
  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override;
  void on_status(sdk::calls& call, const v1::TaskStatus& status) override;
  void on_subscribed(sdk::calls& call) override;
  void on_timer(sdk::calls& call) override;
  void on_error(sdk::calls&, const std::string&) override {}  // torn down, and started again before it knew
  void on_program_event(sdk::calls& call, const std::string& name, const std::string& data) override;
  void remember(const std::string& key, std::string_view record) override;

  bool wants(const std::string& task) const { return wishes_.count(task) != 0; }
  bool wants_killed(const std::string& task) const { return kills_.count(task) != 0; }
  /// What it was last told of each task that it has launched; TASK_STAGING: nothing yet.
  const std::map<std::string, v1::TaskStatus>& told() const { return told_; }

 private:
  bool has_open_wishes() const;
  void ask_after_all(sdk::calls& call);

  std::map<std::string, v1::TaskInfo> wishes_;
  std::map<std::string, v1::TaskStatus> told_;
  std::set<std::string> kills_;
};

}  // namespace troupe::test
