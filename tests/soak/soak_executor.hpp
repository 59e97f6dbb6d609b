#pragma once

#include "frameworks/sdk/program.hpp"

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <thread>

namespace troupe::soak {

/// Runs each task's data as a command of /bin/sh, in a process group of its own.
class soak_executor : public sdk::executor {
 public:
  explicit soak_executor(sdk::tell_function tell) : tell_(std::move(tell)) {}
  ~soak_executor() override;

  void on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) override;
  void on_kill(sdk::executor_calls& call, const task_id& task) override;
  void on_shutdown(sdk::executor_calls& call) override;
  void on_program_event(sdk::executor_calls& call, const std::string& name, const std::string& data) override;

 private:
  struct job {
    pid_t pid;
    bool killed = false;
    bool reported = false;
    std::thread waiter;
  };

  sdk::tell_function tell_;  ///< may be called by any thread, for as long as this lives
  std::map<std::string, job> jobs_;
};

}  // namespace troupe::soak
