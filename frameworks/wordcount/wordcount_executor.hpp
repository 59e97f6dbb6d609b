#pragma once

#include "frameworks/sdk/executor.hpp"
#include "frameworks/wordcount/wordcount.pb.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace troupe::wordcount {

/// Runs maps and reduces, each on a thread of its own. Threads report through `tell`, which comes back as a program
/// event.
class wordcount_executor : public sdk::executor {
 public:
  /// `tell` may be called from any thread, as long as this object lives.
  wordcount_executor(std::string sandbox, std::function<void(const std::string& name, const std::string& data)> tell);
  ~wordcount_executor() override;

  void on_subscribed(sdk::executor_calls& call, const v1::executor::Event::Subscribed& who) override;
  void on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) override;
  void on_kill(sdk::executor_calls& call, const task_id& task) override;
  void on_message(sdk::executor_calls& call, const std::string& bytes) override;
  void on_shutdown(sdk::executor_calls& call) override;
  void on_program_event(sdk::executor_calls& call, const std::string& name, const std::string& data) override;

 private:
  struct job {
    std::atomic<bool> cancelled{false};
    std::thread thread;
  };
  void run_map(const std::string& task, const Work::Map& work, job& j);
  void run_reduce(const std::string& task, const Work::Reduce& work, job& j);
  void finish(const std::string& task, const Output& output);
  void fail(const std::string& task, const std::string& message);
  std::string write_output(const std::string& name, const std::string& text);

  std::string sandbox_;
  std::function<void(const std::string&, const std::string&)> tell_;
  std::atomic<unsigned> report_every_files_{0};  // 0: not yet told
  std::map<std::string, std::unique_ptr<job>> jobs_;
};

}  // namespace troupe::wordcount
