// Every kind of actor that /actors can list is ended in turn, by an exit and by an exception in the midst of a letter,
// while a cluster works: its daemon goes on, what runs is not disturbed, and what is asked for comes about. Real
// daemons in one process, real containers.
#include <catch2/catch.hpp>

#include "frameworks/sdk/program.hpp"
#include "protocol/resources.hpp"
#include "protocol/task_state.hpp"
#include "tests/unit/storage/scratch_folder.hpp"
#include "tools/agent_daemon.hpp"
#include "tools/master_daemon.hpp"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr int long_tasks = 4;  ///< of commands, and as many in a custom executor

/// What the framework was told, for the test's thread to wait for.
class told_states {
 public:
  void tell(const std::string& task, v1::TaskState state) {
    std::lock_guard<std::mutex> lock(mutex_);
    last_[task] = state;
    changed_.notify_all();
  }
  void await(const std::string& what, const std::function<bool(const std::map<std::string, v1::TaskState>&)>& holds) {
    std::unique_lock<std::mutex> lock(mutex_);
    const bool came = changed_.wait_for(lock, std::chrono::seconds(60), [&] { return holds(last_); });
    if (!came) FAIL("a minute later it is still not so that " << what << ": " << text());
  }
  std::map<std::string, v1::TaskState> now() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return last_;
  }

 private:
  std::string text() const {
    std::string all;
    for (const auto& [task, state] : last_)
      if (state != v1::TASK_FINISHED) all += task + " " + v1::TaskState_Name(state) + ", ";
    return all;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, v1::TaskState> last_;
};

/// Long tasks of both sorts, and short ones, one after the other, for as long as it lives.
class busy : public sdk::scheduler {
 public:
  busy(std::shared_ptr<told_states> told, std::string executor)
      : told_(std::move(told)), executor_(std::move(executor)) {}

  v1::FrameworkInfo describe() const override {
    v1::FrameworkInfo info;
    info.set_name("busy");
    info.set_user("root");
    info.set_failover_timeout(600);
    return info;
  }

  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override {
    for (const auto& offer : offers) {
      std::vector<v1::TaskInfo> tasks;
      for (int i = 0; i < long_tasks; ++i) {
        add(call, tasks, "long-" + std::to_string(i), "exec sleep 100000.25", "");
        add(call, tasks, "custom-" + std::to_string(i), "", "exec " + executor_);
      }
      if (open_short_.empty()) {
        open_short_ = "short-" + std::to_string(number_++);
        add(call, tasks, open_short_, "true", "");
      }
      if (tasks.empty())
        call.decline(offer, std::chrono::milliseconds(100));
      else
        call.launch(offer, tasks, no_filters());
    }
  }

  void on_status(sdk::calls& call, const v1::TaskStatus& status) override {
    const auto& id = status.task_id().value();
    told_->tell(id, status.state());
    if (status.has_agent_id()) agent_ = status.agent_id();
    if (id != open_short_ || !is_terminal(status.state())) return;
    open_short_.clear();
    call.revive();
  }

  // Asks after the short one, which may have been launched into a cluster that forgot it.
  void on_subscribed(sdk::calls& call) override { ask(call); }
  void on_timer(sdk::calls& call) override { ask(call); }
  void on_program_event(sdk::calls& call, const std::string& name, const std::string&) override {
    if (name == "end") call.teardown(0);
  }

 private:
  static v1::Filters no_filters() {
    v1::Filters filters;
    filters.set_refuse_seconds(0);
    return filters;
  }

  void ask(sdk::calls& call) {
    // Executors at work would hear nothing for hours.
    for (const auto* executor : {"long-0", "custom"})
      if (!agent_.empty()) call.send(agent_, executor_id(executor), agent_.proto());
    if (!open_short_.empty()) {
      v1::TaskStatus status;
      status.mutable_task_id()->set_value(open_short_);
      status.set_state(v1::TASK_STAGING);
      call.reconcile({status});
    } else {
      call.revive();
    }
    call.wake_at(call.now().now + std::chrono::seconds(2));
  }

  void add(sdk::calls& call, std::vector<v1::TaskInfo>& tasks, const std::string& id, const std::string& command,
           const std::string& executor) {
    if (!launched_.insert(id).second) return;
    auto& task = tasks.emplace_back();
    task.set_name(id);
    task.mutable_task_id()->set_value(id);
    *task.mutable_resources() = resources::parse("cpus:0.1;mem:32")->proto();
    if (executor.empty()) {
      task.mutable_command()->set_value(command);
      return;
    }
    task.mutable_executor()->mutable_executor_id()->set_value("custom");
    *task.mutable_executor()->mutable_framework_id() = call.framework().proto();
    task.mutable_executor()->mutable_command()->set_value(executor);
    *task.mutable_executor()->mutable_resources() = resources::parse("cpus:0.1;mem:64")->proto();
  }

  std::shared_ptr<told_states> told_;
  std::string executor_;
  std::set<std::string> launched_;
  std::string open_short_;
  agent_id agent_;
  int number_ = 0;
};

struct working_cluster {
  scratch_folder scratch;
  std::unique_ptr<master_daemon> master;
  std::unique_ptr<agent_daemon> agent;
  std::shared_ptr<told_states> told = std::make_shared<told_states>();
  std::unique_ptr<sdk::scheduler_program> framework;
  std::thread framework_thread;

  working_cluster() {
    process::block_signals();
    master_daemon_options for_master;
    common(for_master.common, "master");
    auto m = master_daemon::start(for_master, {});
    REQUIRE(m.has_value());
    master = std::move(*m);
    agent_daemon_options for_agent;
    common(for_agent.common, "agent");
    for_agent.master = master->url();
    for_agent.resources = "cpus:4;mem:2048;disk:1024";
    for_agent.leave_running = false;
    auto a = agent_daemon::start(for_agent, {});
    REQUIRE(a.has_value());
    agent = std::move(*a);
    sdk::program_options options;
    options.name = "busy";
    options.master = master->url();
    options.state_dir = scratch / "framework";
    auto f = sdk::scheduler_program::start(
        std::make_shared<busy>(told, std::filesystem::read_symlink("/proc/self/exe").replace_filename("patient")),
        options);
    REQUIRE(f.has_value());
    framework = std::move(*f);
    framework_thread = std::thread([this] { framework->run(); });
    await_running();
  }

  ~working_cluster() {
    framework->tell("end");
    framework_thread.join();
    framework.reset();
    agent.reset();
    master.reset();
  }

  void common(daemon_options& options, const std::string& name) const {
    options.work_dir = scratch / name;
    options.runtime_dir = scratch / ("run-" + name);
    options.log_level = "warning";
    options.restarts_max = 100;
  }

  void await_running() {
    told->await("all long tasks run", [](const auto& last) {
      int running = 0;
      for (const auto& [task, state] : last) running += task.rfind("short", 0) != 0 && state == v1::TASK_RUNNING;
      return running == 2 * long_tasks;
    });
  }

  /// Short tasks launched after now come to an end.
  void await_progress() {
    std::size_t begun = 0;
    for (const auto& [task, state] : told->now()) begun += task.rfind("short", 0) == 0;
    told->await("tasks are launched and end", [begun](const auto& last) {
      std::size_t finished = 0;
      for (const auto& [task, state] : last)
        finished += task.rfind("short", 0) == 0 && std::stoul(task.substr(6)) > begun && state == v1::TASK_FINISHED;
      return finished >= 2;
    });
  }
};

/// What an agent says of the container of a long task.
std::string container_of(working_cluster& cluster, const std::string& executor) {
  const auto folder = cluster.scratch / "agent/agents";
  for (const auto& found : std::filesystem::recursive_directory_iterator(folder)) {
    const auto path = found.path();
    if (path.filename() == "latest" && path.parent_path().parent_path().filename() == executor)
      return std::filesystem::read_symlink(path).filename();
  }
  FAIL("no sandbox of " << executor);
  return {};
}

/// One actor of each kind that is listed. An executor is an actor of the agent, or the proxy of one that is a process
/// of its own.
std::map<std::string, std::shared_ptr<const status_block>> kinds_now(working_cluster& cluster) {
  std::map<std::string, std::shared_ptr<const status_block>> kinds;
  const auto role_of = [](const status_block& block) { return block.name.substr(0, block.name.find('/')); };
  for (const auto& block : cluster.master->host().board().all()) kinds["master: " + role_of(*block)] = block;
  const auto built_in = "executor/" + container_of(cluster, "long-0");
  const auto custom = "executor/" + container_of(cluster, "custom");
  for (const auto& block : cluster.agent->host().board().all()) {
    if (block->name == built_in) kinds["agent: executor"] = block;
    if (block->name == custom) kinds["agent: custom executor"] = block;
    if (role_of(*block) != "executor") kinds["agent: " + role_of(*block)] = block;
  }
  return kinds;
}

/// Each has been seen to fail, and all below held.
const std::set<std::string>& rows() {
  static const std::set<std::string> all = {
      "master: master",       "master: allocator", "master: agent",          "master: framework", "agent: agent",
      "agent: containerizer", "agent: executor",   "agent: custom executor", "agent: master",
  };
  return all;
}

/// Of the commands of long tasks and of the custom executor: who runs them does not change. They are in their
/// sandboxes.
std::set<std::string> long_processes(const working_cluster& cluster) {
  const auto sandboxes = (cluster.scratch / "agent").string();
  std::set<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path() / "cwd", gone).string().rfind(sandboxes, 0) != 0) continue;
    std::ifstream file(entry.path() / "cmdline");
    const std::string line((std::istreambuf_iterator<char>(file)), {});
    if (line.find("100000.25") != std::string::npos || line.find("/patient") != std::string::npos)
      all.insert(entry.path().filename());
  }
  return all;
}

}  // namespace

TEST_CASE("whichever actor is ended, the cluster goes on and nothing that runs is disturbed") {
  const bool by_exception = GENERATE(false, true);
  working_cluster cluster;
  std::set<std::string> listed;
  for (const auto& [kind, block] : kinds_now(cluster)) listed.insert(kind);
  CHECK(listed == rows());
  const auto processes = long_processes(cluster);
  CHECK(processes.size() >= long_tasks + 1);
  for (const auto& kind : listed) {
    for (int time = 1; time <= 2; ++time) {
      std::shared_ptr<const status_block> victim;
      for (int look = 0; look < 6000 && !(victim = kinds_now(cluster)[kind]); ++look)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));  // a proxy comes back with its link
      REQUIRE(victim);
      INFO(kind << " (" << victim->name << ") " << (by_exception ? "throws" : "exits") << ", time " << time);
      if (by_exception) {
        victim->fail_by_exception();
        for (int look = 0; look < 6000 && victim->is_to_throw(); ++look)
          std::this_thread::sleep_for(std::chrono::milliseconds(10));  // until a letter comes for it
        REQUIRE(!victim->is_to_throw());
      } else {
        REQUIRE(victim->fail());
      }
      cluster.await_progress();
      cluster.await_running();
      CHECK(long_processes(cluster) == processes);
    }
  }
}
