#pragma once

#include "frameworks/sdk/scheduler.hpp"
#include "frameworks/wordcount/text_files.hpp"
#include "frameworks/wordcount/wordcount.pb.h"
#include "protocol/resources.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace troupe::wordcount {

struct plan {
  std::vector<std::vector<text_file>> maps;  ///< one entry a map task
  unsigned reduces = 1;
  unsigned spread = 1;           ///< no agent gets more than a spread-th of the tasks, rounded up
  std::string executor_command;  ///< what an agent runs as the executor
  std::string user;
};

/// Cuts files into `pieces` of about the same number of bytes.
std::vector<std::vector<text_file>> cut(const std::vector<text_file>& files, unsigned pieces);

/// Where the job stands, for a progress bar.
struct job_progress {
  unsigned maps_done = 0, reduces_done = 0;
  std::uint64_t files_done = 0;
  std::map<std::string, unsigned> tasks_by_agent;  ///< finished ones, by agent id
};

/// The scheduler of the word count: maps first, then reduces that fetch the maps' output from the agents. Remembers
/// what was launched and what is done, so that it resumes after a crash.
class wordcount_scheduler : public sdk::scheduler {
 public:
  wordcount_scheduler(plan work, std::function<void(const job_progress&)> changed);

  v1::FrameworkInfo describe() const override;
  void on_subscribed(sdk::calls& call) override;
  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override;
  void on_status(sdk::calls& call, const v1::TaskStatus& status) override;
  void on_message(sdk::calls& call, const agent_id& agent, const executor_id& executor,
                  const std::string& bytes) override;
  void on_failure(sdk::calls& call, const v1::scheduler::Event::Failure& failure) override;
  void on_program_event(sdk::calls& call, const std::string& name, const std::string& data) override;
  void remember(const std::string& key, std::string_view record) override;

  /// Where the counts are, once the job is done: one file a reduce task.
  std::vector<Work::Reduce::Source> outputs() const;

 private:
  struct piece {
    PieceRecord record;
    bool launched = false;
    std::uint64_t files_reported = 0;
    bool done() const { return record.has_output(); }
  };
  using pieces = std::vector<piece>;

  piece* find(const std::string& task);
  pieces& current();
  bool maps_done() const;
  unsigned most_on_one_agent() const;
  unsigned launched_on(const std::string& agent) const;
  v1::TaskInfo task_of(piece& p, const v1::Offer& offer, const std::string& url);
  Work work_of(const piece& p) const;
  void launch_again(sdk::calls& call, piece& p);
  void report();

  plan plan_;
  std::function<void(const job_progress&)> changed_;
  pieces maps_, reduces_;
};

}  // namespace troupe::wordcount
