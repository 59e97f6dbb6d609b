#pragma once

#include "frameworks/sdk/scheduler.hpp"
#include "protocol/resources.hpp"
#include "tests/soak/line_file.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::soak {

struct soak_plan {
  std::string name;
  bool custom = false;        ///< its tasks run in a custom executor, one an agent
  unsigned longs = 0;         ///< tasks that never end, always to be running
  unsigned shorts = 0;        ///< short tasks outstanding at once
  unsigned kill_every = 0;    ///< of so many short tasks one does not end by itself and is killed; 0: none
  unsigned spread = 1;        ///< over so many agents long tasks are spread
  std::uint64_t total = 0;    ///< after so many tasks in all its lives the framework ends; 0: never
  std::string short_command;  ///< what a short task does between its first and its last line
  std::string witness;        ///< file to which tasks and executors append; empty: they do not
  std::string executor;       ///< command of the custom executor
  std::string user;
};

/// Keeps long tasks running beside a stream of short ones. Whatever it is told goes into a file, a line an event, with
/// the monotonic time in ms before it:
///
///     remembered TASK STATE · subscribed FRAMEWORK · disconnected · launch TASK AGENT · kill TASK ·
///     told TASK STATE REASON · sure (of each task that it had when it subscribed it has heard) · refused MESSAGE
///
/// A task is called NAME.L.NUMBER (long), NAME.S.NUMBER (short) or NAME.K.NUMBER (to be killed).
class soak_scheduler : public sdk::scheduler {
 public:
  /// `told` must outlive this.
  soak_scheduler(soak_plan plan, line_file& told);

  v1::FrameworkInfo describe() const override;
  void on_subscribed(sdk::calls& call) override;
  void on_disconnected(sdk::calls& call) override;
  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override;
  void on_status(sdk::calls& call, const v1::TaskStatus& status) override;
  void on_error(sdk::calls& call, const std::string& message) override;
  void on_timer(sdk::calls& call) override;
  void on_program_event(sdk::calls& call, const std::string& name, const std::string& data) override;
  void remember(const std::string& key, std::string_view record) override;

 private:
  /// Of one offer, what has not been given to a task yet.
  struct share {
    const v1::Offer& offer;
    resources left;
    bool executor_runs;
    std::vector<v1::TaskInfo> tasks;
  };

  void say(const sdk::calls& call, const std::string& line);
  unsigned live(char kind) const;
  unsigned longs_on(const std::string& agent) const;
  bool wants_short() const;
  bool add_task(sdk::calls& call, share& of, char kind);
  void kill_running(sdk::calls& call);
  std::string command_of(const std::string& task, char kind) const;

  const soak_plan plan_;
  line_file& told_;
  std::map<std::string, v1::TaskStatus> live_;  // the last heard of each that has not ended, with its agent
  std::set<std::string> unsure_;                // perhaps launched by a former self, perhaps lost with it
  std::uint64_t launched_ = 0;
};

}  // namespace troupe::soak
