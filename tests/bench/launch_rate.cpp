#include "protocol/resources.hpp"
#include "protocol/task_state.hpp"
#include "tests/bench/figures.hpp"
#include "tests/bench/launch_schedulers.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <set>

namespace troupe::bench {
namespace {

void spawn_and_wait(std::size_t count) {
  std::string program = "/bin/true", name = "true";
  char* arguments[] = {name.data(), nullptr};
  for (std::size_t i = 0; i < count; ++i) {
    pid_t pid = 0;
    if (::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ) != 0) std::abort();
    ::waitpid(pid, nullptr, 0);
  }
}

class all_at_once final : public sdk::scheduler {
 public:
  all_at_once(std::size_t tasks, std::size_t rounds) : tasks_(tasks), rounds_(rounds) {}

  v1::FrameworkInfo describe() const override { return launch_bench_framework(); }

  void on_subscribed(sdk::calls& call) override { rest(call); }

  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override {
    for (const auto& offer : offers) {
      auto left = resources::from(offer.resources()).value().unallocated();
      std::vector<v1::TaskInfo> tasks;
      for (std::optional<resources> share; to_launch_ > 0 && (share = left.find_scalars(needs_.amounts()));) {
        left -= *share;
        --to_launch_;
        tasks.push_back(launch_bench_task("bench-" + std::to_string(++launched_), "/bin/true"));
        needs_.add_to(tasks.back().mutable_resources());
        remember_launch(call, tasks.back().task_id());
      }
      tasks.empty() ? call.decline(offer, std::chrono::hours(1)) : call.launch(offer, tasks);
    }
  }

  void on_timer(sdk::calls& call) override {
    if (to_launch_ > 0 || !running_.empty()) return;
    begun_ = std::chrono::steady_clock::now();
    to_launch_ = tasks_;
    call.revive();
  }

  void on_status(sdk::calls& call, const v1::TaskStatus& status) override {
    if (!is_terminal(status.state()) || running_.erase(status.task_id().value()) == 0) return;
    if (status.state() != v1::TASK_FINISHED) {
      std::fprintf(stderr, "launch_bench: a task ended %s: %s\n", std::string(short_name(status.state())).c_str(),
                   status.message().c_str());
      return call.teardown(1);
    }
    call.erase(status.task_id().value());
    if (to_launch_ > 0 || !running_.empty()) return;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun_;
    if (warm_) {
      ours_.push_back(static_cast<double>(tasks_) / took.count());
      floor_.push_back(per_second(tasks_, [this] { spawn_and_wait(tasks_); }));
    }
    warm_ = true;
    if (ours_.size() == rounds_) return finish(call);
    rest(call);
  }

 private:
  void rest(sdk::calls& call) {
    call.suppress();
    call.wake_at(call.now().now + std::chrono::milliseconds(300));
  }

  void remember_launch(sdk::calls& call, const v1::TaskID& task) {
    v1::TaskStatus staging;
    *staging.mutable_task_id() = task;
    staging.set_state(v1::TASK_STAGING);
    call.put(task.value(), staging);
    running_.insert(task.value());
  }

  void finish(sdk::calls& call) {
    figure line("launch.tasks");
    line.with("command", std::string("true")).with("tasks", tasks_).with("per_s", median(ours_), 0);
    line.with("spawn_per_s", median(floor_), 0).with_ratio("spawn", ours_, floor_);
    call.teardown(0);
  }

  const resources needs_ = resources::parse(launch_bench_needs).value();
  const std::size_t tasks_, rounds_;
  std::size_t to_launch_ = 0, launched_ = 0;
  std::set<std::string> running_;
  std::chrono::steady_clock::time_point begun_;
  bool warm_ = false;  ///< the first round is not counted
  std::vector<double> ours_, floor_;
};

}  // namespace

std::shared_ptr<sdk::scheduler> launch_all_at_once(std::size_t tasks, std::size_t rounds) {
  return std::make_shared<all_at_once>(tasks, rounds);
}

}  // namespace troupe::bench
