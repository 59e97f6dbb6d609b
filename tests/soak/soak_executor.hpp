#pragma once

#include "frameworks/sdk/program.hpp"

#include <sys/types.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace troupe::soak {

/// Runs each task's data as a command of /bin/sh, in a process group of its own. Whoever starts a task claims it first,
/// by a folder in the sandbox, and leaves there who it is and how it ended: so a task that is begun again, by a program
/// that was killed in between, is not started twice but waited for.
class soak_executor : public sdk::executor {
 public:
  soak_executor(std::string sandbox, sdk::tell_function tell) : sandbox_(std::move(sandbox)), tell_(std::move(tell)) {}
  ~soak_executor() override;

  void on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) override;
  void on_recovered(sdk::executor_calls& call, const std::vector<v1::TaskInfo>& tasks) override;
  void on_kill(sdk::executor_calls& call, const task_id& task) override;
  void on_shutdown(sdk::executor_calls& call) override;
  void on_program_event(sdk::executor_calls& call, const std::string& name, const std::string& data) override;

 private:
  /// The process group of a task, known once it has been claimed.
  struct job {
    std::mutex mutex;
    pid_t group = 0;
    bool killed = false;
    bool reported = false;
    std::thread waiter;
  };

  void begin(const v1::TaskInfo& task);
  bool run(const std::string& id, const std::string& command, job& j);
  static void kill(job& j);

  const std::string sandbox_;
  sdk::tell_function tell_;  ///< may be called by any thread, for as long as this lives
  std::map<std::string, job> jobs_;
};

}  // namespace troupe::soak
