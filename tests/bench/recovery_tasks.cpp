#include "protocol/resources.hpp"
#include "protocol/task_state.hpp"
#include "tests/bench/launch_schedulers.hpp"
#include "tests/bench/recovery_bench.hpp"

#include <cstdio>
#include <set>

namespace troupe::bench {
namespace {

class holds_tasks final : public sdk::scheduler {
 public:
  explicit holds_tasks(std::size_t tasks) : tasks_(tasks) {}

  v1::FrameworkInfo describe() const override {
    auto info = launch_bench_framework();
    info.set_name("recovery-bench");
    return info;
  }

  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override {
    for (const auto& offer : offers) {
      auto left = resources::from(offer.resources()).value().unallocated();
      std::vector<v1::TaskInfo> tasks;
      for (std::optional<resources> share; launched_ < tasks_ && (share = left.find_scalars(needs_.amounts()));) {
        left -= *share;
        tasks.push_back(launch_bench_task("held-" + std::to_string(++launched_), "/bin/sleep", "100000"));
        needs_.add_to(tasks.back().mutable_resources());
        open_.insert(tasks.back().task_id().value());
      }
      tasks.empty() ? call.decline(offer, std::chrono::hours(1)) : call.launch(offer, tasks);
    }
    if (launched_ == tasks_) call.suppress();
  }

  void on_status(sdk::calls& call, const v1::TaskStatus& status) override {
    const auto& id = status.task_id().value();
    if (!is_terminal(status.state())) {
      const bool new_one = status.state() == v1::TASK_RUNNING && running_.insert(id).second;
      if (new_one && running_.size() == tasks_) say("running " + std::to_string(tasks_));
      return;
    }
    if (open_.erase(id) == 0) return;
    if (ending_ && status.state() == v1::TASK_KILLED)
      ++killed_;
    else
      say("ended " + id + " " + std::string(short_name(status.state())));
    if (ending_ && open_.empty()) finish(call);
  }

  void on_program_event(sdk::calls& call, const std::string&, const std::string&) override {
    ending_ = true;
    for (const auto& id : open_) call.kill(task_id(id));
    if (open_.empty()) finish(call);
  }

 private:
  static void say(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
  }

  void finish(sdk::calls& call) {
    say("killed " + std::to_string(killed_));
    call.teardown(0);
  }

  const resources needs_ = resources::parse(launch_bench_needs).value();
  const std::size_t tasks_;
  std::size_t launched_ = 0, killed_ = 0;
  std::set<std::string> open_;     ///< launched and not ended
  std::set<std::string> running_;  ///< that have run
  bool ending_ = false;
};

}  // namespace

std::shared_ptr<sdk::scheduler> hold_tasks(std::size_t tasks) {
  return std::make_shared<holds_tasks>(tasks);
}

}  // namespace troupe::bench
