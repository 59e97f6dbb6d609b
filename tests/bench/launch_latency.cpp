#include "protocol/resources.hpp"
#include "protocol/task_state.hpp"
#include "tests/bench/figures.hpp"
#include "tests/bench/launch_schedulers.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace troupe::bench {
namespace {

constexpr std::chrono::milliseconds pause{30};

double ms_between(monotonic_time begin, monotonic_time end) {
  return std::chrono::duration<double, std::milli>(end - begin).count();
}

/// A record on disk, then a process: what no launch can do without.
class launch_floor {
 public:
  explicit launch_floor(const std::string& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}
  ~launch_floor() { ::close(fd_); }
  launch_floor(const launch_floor&) = delete;
  launch_floor& operator=(const launch_floor&) = delete;

  double run_ms() const {
    const std::string record(200, 'r');
    std::string program = "/bin/sleep", seconds = "0.02";
    char* arguments[] = {program.data(), seconds.data(), nullptr};
    pid_t pid = 0;
    const auto begin = std::chrono::steady_clock::now();
    if (::write(fd_, record.data(), record.size()) < 0 || ::fdatasync(fd_) != 0) std::abort();
    if (::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ) != 0) std::abort();
    const auto took = ms_between(begin, std::chrono::steady_clock::now());
    ::waitpid(pid, nullptr, 0);
    return took;
  }

 private:
  int fd_;
};

class one_at_a_time final : public sdk::scheduler {
 public:
  one_at_a_time(bool holds_offers, std::size_t tasks, const std::string& floor_path)
      : holds_offers_(holds_offers), tasks_(tasks), floor_(floor_path) {}

  v1::FrameworkInfo describe() const override { return launch_bench_framework(); }

  void on_subscribed(sdk::calls& call) override { rest(call); }

  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override {
    for (const auto& offer : offers) {
      if (wished_at_) {
        launch(call, offer);
      } else if (holds_offers_ && !offer_ && task_.empty()) {
        offer_ = offer;
        call.wake_at(call.now().now + pause);
      } else {
        call.decline(offer, std::chrono::hours(1));
      }
    }
  }

  void on_rescinded(sdk::calls&, const offer_id&) override { offer_.reset(); }

  void on_timer(sdk::calls& call) override {
    if (!task_.empty() || wished_at_) return;
    if (holds_offers_ && !offer_) return;
    wished_at_ = call.now().now;
    if (!offer_) return call.revive();
    launch(call, *std::exchange(offer_, std::nullopt));
  }

  void on_status(sdk::calls& call, const v1::TaskStatus& status) override {
    if (status.task_id().value() != task_) return;
    if (status.state() == v1::TASK_RUNNING && begun_at_) {
      waits_ms_.push_back(ms_between(*std::exchange(begun_at_, std::nullopt), call.now().now));
    }
    if (!is_terminal(status.state())) return;
    if (status.state() != v1::TASK_FINISHED) {
      std::fprintf(stderr, "launch_bench: a task ended %s: %s\n", std::string(short_name(status.state())).c_str(),
                   status.message().c_str());
      return call.teardown(1);
    }
    call.erase(std::exchange(task_, {}));
    if (waits_ms_.size() >= tasks_) return finish(call);
    rest(call);
  }

 private:
  void rest(sdk::calls& call) {
    floors_ms_.push_back(floor_.run_ms());
    holds_offers_ ? call.revive() : call.suppress();
    call.wake_at(call.now().now + pause);
  }

  void launch(sdk::calls& call, const v1::Offer& offer) {
    auto left = resources::from(offer.resources()).value().unallocated();
    if (!left.find_scalars(needs_.amounts())) return call.decline(offer);
    task_ = "bench-" + std::to_string(++launched_);
    begun_at_ = std::exchange(wished_at_, std::nullopt);
    auto task = launch_bench_task(task_, "/bin/sleep", "0.02");
    needs_.add_to(task.mutable_resources());
    v1::TaskStatus staging;
    *staging.mutable_task_id() = task.task_id();
    staging.set_state(v1::TASK_STAGING);
    call.put(task_, staging);
    v1::Filters at_once;
    at_once.set_refuse_seconds(0);
    call.launch(offer, {task}, at_once);
  }

  void finish(sdk::calls& call) {
    figure line(std::string("launch.latency.") + (holds_offers_ ? "held" : "revive"));
    line.with("n", waits_ms_.size()).with("p50_ms", median(waits_ms_), 2).with("p99_ms", rank(waits_ms_, 0.99), 2);
    line.with("floor_p50_ms", median(floors_ms_), 2).with_ratio("floor", waits_ms_, floors_ms_);
    call.teardown(0);
  }

  const resources needs_ = resources::parse(launch_bench_needs).value();
  const bool holds_offers_;
  const std::size_t tasks_;
  launch_floor floor_;
  std::string task_;  ///< under way; empty: none
  std::optional<v1::Offer> offer_;
  std::optional<monotonic_time> wished_at_;  ///< while there is no task for the wish yet
  std::optional<monotonic_time> begun_at_;   ///< the wish of the task under way, until it runs
  std::size_t launched_ = 0;
  std::vector<double> waits_ms_, floors_ms_;
};

}  // namespace

std::shared_ptr<sdk::scheduler> launch_one_at_a_time(bool holds_offers, std::size_t tasks,
                                                     const std::string& floor_path) {
  return std::make_shared<one_at_a_time>(holds_offers, tasks, floor_path);
}

}  // namespace troupe::bench
