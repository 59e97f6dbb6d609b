// How long an idle cluster takes from a scheduler's wish to run a command to hearing that it runs: one task at a time,
// a pause before each, all records durable, the scheduler's own as well. The floor, taken before each pause: one record
// appended to a file and synced, one process started. Usage: launch_bench revive|held TASKS FOLDER, and TROUPE_MASTER.
//
// `revive`: the scheduler asked for no offers before; the wish is a revive, and the way leads through the allocator.
// `held`: it holds an offer already.
#include "frameworks/sdk/program.hpp"
#include "protocol/resources.hpp"
#include "protocol/task_state.hpp"
#include "tests/bench/figures.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

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

  v1::FrameworkInfo describe() const override {
    v1::FrameworkInfo info;
    info.set_name("launch-bench");
    info.set_user("root");
    info.add_roles("*");
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    return info;
  }

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
    v1::TaskInfo task;
    task.set_name("bench");
    task.mutable_task_id()->set_value(task_);
    task.mutable_command()->set_shell(false);
    task.mutable_command()->set_value("/bin/sleep");
    task.mutable_command()->add_arguments("sleep");
    task.mutable_command()->add_arguments("0.02");
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

  const resources needs_ = resources::parse("cpus:0.1;mem:32").value();
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
}  // namespace troupe::bench

int main(int argument_count, char** arguments) {
  using namespace troupe;
  const std::string_view way = argument_count == 4 ? arguments[1] : "";
  const int tasks = argument_count == 4 ? std::atoi(arguments[2]) : 0;
  if ((way != "revive" && way != "held") || tasks < 1) {
    std::fprintf(stderr, "usage: launch_bench revive|held TASKS FOLDER\n");
    return 2;
  }
  const std::string folder = arguments[3];
  sdk::program_options options;
  options.name = "launch_bench";
  options.state_dir = folder + "/state";
  return sdk::run_scheduler_program(
      std::make_shared<bench::one_at_a_time>(way == "held", static_cast<std::size_t>(tasks), folder + "/floor"),
      options);
}
