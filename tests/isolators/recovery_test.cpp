#include "isolators/recovery.hpp"

#include "isolators/small_file.hpp"
#include "tests/isolators/container_lab.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>

namespace troupe {
namespace {

namespace fs = std::filesystem;

// The grandchild leaves the task's session; only then the container tells: shim, task, grandchild. Ends when it is
// told.
const std::string waiting =
    "setsid sh -c 'echo $0 $1 $$ > ../up; exec sleep 1000' $PPID $$ & while [ ! -e go ]; do sleep 0.01; done; exit 7";

/// An agent in a process of its own, with one container that has told us its pids; then the agents after it, in this
/// one.
class doomed_agent {
 public:
  explicit doomed_agent(bool with_cgroups, const std::string& script = waiting) : with_cgroups_(with_cgroups) {
    std::string name = "/tmp/troupe-lab-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
    auto fifo = folder_ + "/up";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    std::string program = TROUPE_RECOVERY_OWNER;
    std::string cgroups = with_cgroups ? "1" : "0";
    auto command = script;
    char* arguments[] = {program.data(), folder_.data(), cgroups.data(), command.data(), nullptr};
    REQUIRE(::posix_spawn(&owner_, program.c_str(), nullptr, nullptr, arguments, environ) == 0);
    std::ifstream up(fifo);
    up >> shim >> task >> grandchild;
    REQUIRE(up);
  }
  ~doomed_agent() {
    kill();
    next_.reset();
    auto cleared = clear();
    std::error_code failure;
    fs::remove_all(folder_, failure);
  }

  void kill() {
    if (owner_ == 0) return;
    ::kill(owner_, SIGKILL);
    ::waitpid(owner_, nullptr, 0);
    owner_ = 0;
  }
  /// `troupe agent --recover=cleanup`.
  result<void> clear() { return containerizer::end_leftovers(lab_options(folder_, with_cgroups_)); }

  /// The next agent, in this process; what it hears is taken with `hear`.
  containerizer& next() {
    next_.reset();
    auto options = lab_options(folder_, with_cgroups_);
    options.leave_running = true;
    auto started = containerizer::start(options, [this](const container_event& event) {
      std::lock_guard<std::mutex> lock(mutex_);
      events_.push_back(event);
      heard_.notify_all();
    });
    REQUIRE(started.has_value());
    next_ = std::move(*started);
    return *next_;
  }
  containerizer& hands() { return *next_; }

  /// The next that is said, which must be of this kind.
  template <class Event>
  Event hear() {
    std::unique_lock<std::mutex> lock(mutex_);
    REQUIRE(heard_.wait_for(lock, std::chrono::seconds(60), [this] { return !events_.empty(); }));
    auto event = events_.front();
    events_.pop_front();
    REQUIRE(std::holds_alternative<Event>(event));
    return std::get<Event>(event);
  }

  /// The same launch again; the command would show if it ran.
  internal::LaunchContainer again() const {
    internal::LaunchContainer launch;
    launch.mutable_container_id()->set_value("a");
    launch.mutable_command()->set_value("touch " + folder_ + "/twice");
    launch.set_sandbox(folder_ + "/sandbox");
    return launch;
  }
  bool ran_twice() const { return fs::exists(folder_ + "/twice"); }
  void let_go() const { std::ofstream(folder_ + "/sandbox/go"); }

  std::string folder() const { return folder_; }
  std::string file(const std::string& name) const { return folder_ + "/run/containers/a/" + name; }

  int shim = 0;
  int task = 0;
  int grandchild = 0;

 private:
  bool with_cgroups_;
  std::string folder_;
  pid_t owner_ = 0;
  std::mutex mutex_;
  std::condition_variable heard_;
  std::deque<container_event> events_;
  std::unique_ptr<containerizer> next_;
};

internal::ReleaseContainer release_of(const std::string& id) {
  internal::ReleaseContainer release;
  release.mutable_container_id()->set_value(id);
  return release;
}

/// Waits until the shim has written how its task ended; it is nobody's child here.
void await_status(const doomed_agent& agent) {
  REQUIRE(await_gone(agent.shim));
  REQUIRE(fs::exists(agent.file("status")));
}

}  // namespace

TEST_CASE("a container outlives its agent's death, and a cleanup leaves nothing of it") {
  doomed_agent agent(GENERATE(true, false));
  agent.kill();
  CHECK(process_runs(agent.shim));
  CHECK(process_runs(agent.task));
  REQUIRE(agent.clear().has_value());
  CHECK(await_gone(agent.shim));
  CHECK(await_gone(agent.task));
  CHECK(await_gone(agent.grandchild));
  CHECK(fs::is_empty(agent.folder() + "/run/containers"));
  CHECK_FALSE(fs::exists(agent.folder() + "/run/doomed"));
  CHECK_FALSE(fs::exists(group_of(lab_options(agent.folder(), true), "freezer")));
}

TEST_CASE("a task whose shim was killed with the agent is ended too") {
  doomed_agent agent(GENERATE(true, false));
  agent.kill();
  ::kill(agent.shim, SIGKILL);
  REQUIRE(agent.clear().has_value());
  CHECK(await_gone(agent.task));
  // Without the freezer, one that has left the session is out of reach; the test then ends it itself.
  if (fs::exists("/sys/fs/cgroup/freezer/cgroup.procs") && process_runs(agent.grandchild))
    ::kill(agent.grandchild, SIGKILL);
  CHECK(await_gone(agent.grandchild));
}

TEST_CASE("the next agent takes a container over: it is undisturbed, and its end is told") {
  doomed_agent agent(GENERATE(true, false));
  agent.kill();
  agent.next().launch(agent.again());
  auto launched = agent.hear<internal::ContainerLaunched>();
  CHECK(launched.pid() == agent.task);
  CHECK(launched.launched_at().nanoseconds() > 0);
  CHECK(process_runs(agent.task));
  CHECK(process_runs(agent.grandchild));
  agent.let_go();
  CHECK(WEXITSTATUS(agent.hear<internal::ContainerExited>().status()) == 7);
  CHECK(await_gone(agent.grandchild));
  CHECK_FALSE(agent.ran_twice());
}

TEST_CASE("a container is handed on from agent to agent that leave it running") {
  doomed_agent agent(true);
  agent.kill();
  agent.next();
  agent.next().launch(agent.again());
  CHECK(agent.hear<internal::ContainerLaunched>().pid() == agent.task);
  internal::DestroyContainer destroy;
  destroy.mutable_container_id()->set_value("a");
  agent.hands().destroy(destroy);
  CHECK(agent.hear<internal::ContainerExited>().status() == SIGKILL);
  CHECK_FALSE(process_runs(agent.task));
}

TEST_CASE("a container that ended while no agent was there ended as it did, until that is released") {
  doomed_agent agent(GENERATE(true, false));
  agent.kill();
  agent.let_go();
  await_status(agent);
  agent.next();
  CHECK(WEXITSTATUS(agent.hear<internal::ContainerExited>().status()) == 7);
  for (int round = 0; round < 2; ++round) {  // the second agent knows it from the first one's record
    if (round > 0) agent.next();
    agent.hands().launch(agent.again());
    CHECK(agent.hear<internal::ContainerLaunched>().pid() == agent.task);
    CHECK(WEXITSTATUS(agent.hear<internal::ContainerExited>().status()) == 7);
    CHECK(await_gone(agent.grandchild));
    CHECK(fs::exists(agent.file("end")));
  }
  agent.hands().release(release_of("a"));
  CHECK_FALSE(fs::exists(agent.file("")));
  agent.hands().launch(agent.again());  // still remembered by this agent
  agent.hear<internal::ContainerLaunched>();
  agent.hear<internal::ContainerExited>();
  CHECK_FALSE(agent.ran_twice());
  auto unknown = agent.again();
  unknown.set_only_if_known(true);
  agent.next().launch(unknown);
  CHECK_FALSE(agent.hear<internal::ContainerExited>().has_status());
  CHECK_FALSE(agent.ran_twice());
}

TEST_CASE("a container whose shim was killed while no agent was there ends, and nobody knows how") {
  doomed_agent agent(true);
  agent.kill();
  ::kill(agent.shim, SIGKILL);
  REQUIRE(await_gone(agent.shim));
  agent.next();
  CHECK_FALSE(agent.hear<internal::ContainerExited>().has_status());
  agent.hands().launch(agent.again());
  CHECK(agent.hear<internal::ContainerLaunched>().pid() == agent.task);
  CHECK_FALSE(agent.hear<internal::ContainerExited>().has_status());
  CHECK(await_gone(agent.task));
  if (!fs::exists("/sys/fs/cgroup/freezer/cgroup.procs") && process_runs(agent.grandchild))
    ::kill(agent.grandchild, SIGKILL);
  CHECK(await_gone(agent.grandchild));
  CHECK_FALSE(agent.ran_twice());
}

TEST_CASE("a shim that has not said who it is cannot do so later, and its command is not run again") {
  doomed_agent agent(false);
  agent.kill();
  auto folder = agent.folder() + "/run/containers/b";
  fs::create_directories(folder);
  auto launch = agent.again();
  launch.mutable_container_id()->set_value("b");
  for (int round = 0; round < 2; ++round) {
    agent.next();
    if (round == 0) agent.hear<internal::ContainerExited>();  // the second agent knows it from the first one's record
    agent.hands().launch(launch);
    CHECK_FALSE(agent.hear<internal::ContainerExited>().has_status());
    std::ofstream(folder + "/pid.tmp") << "shim 1 1\n";
    CHECK(std::rename((folder + "/pid.tmp").c_str(), (folder + "/pid").c_str()) != 0);
  }
  CHECK_FALSE(agent.ran_twice());
}

TEST_CASE("an agent ends the containers that it does not know, and what it knows goes on") {
  doomed_agent agent(true);
  agent.kill();
  auto folder = agent.folder() + "/run/containers";
  auto boot = read_small_file("/proc/sys/kernel/random/boot_id").value();
  fs::create_directories(folder + "/b");
  std::ofstream(folder + "/b/pid") << "shim 999999 1\ntask 999999 1\nboot " << boot;
  std::ofstream(folder + "/b/status") << "status 0\n";
  agent.next();
  CHECK(agent.hear<internal::ContainerExited>().status() == 0);
  CHECK(fs::exists(folder + "/b"));
  internal::KeepContainers keep;
  bool known = GENERATE(true, false);
  if (known) keep.add_container_ids()->set_value("a");
  agent.hands().keep(keep);
  if (!known) CHECK(agent.hear<internal::ContainerExited>().container_id().value() == "a");
  CHECK(process_runs(agent.task) == known);
  CHECK(fs::is_empty(folder) != known);
  CHECK_FALSE(fs::exists(folder + "/b"));
}

TEST_CASE("a container that ran out of memory while no agent was there ends for that") {
  if (!fs::exists(lab_options("/tmp/x-y", true).cgroups.mount + "/memory/cgroup.procs")) {
    WARN("not run: no memory cgroup here");
    return;
  }
  // The shell lives on; its child does not.
  doomed_agent agent(true,
                     "echo $PPID $$ 1 > ../up; while [ ! -e go ]; do sleep 0.01; done; "
                     "(x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done); touch ../over; sleep 1000");
  agent.kill();
  agent.let_go();
  file_descriptor changes(::inotify_init1(IN_CLOEXEC));
  ::inotify_add_watch(changes.get(), agent.folder().c_str(), IN_CREATE);
  while (!fs::exists(agent.folder() + "/over")) {
    pollfd waited{changes.get(), POLLIN, 0};
    REQUIRE(::poll(&waited, 1, 60'000) == 1);
    char drained[4096];
    (void)!::read(changes.get(), drained, sizeof drained);
  }
  CHECK(process_runs(agent.task));
  agent.next();
  auto exited = agent.hear<internal::ContainerExited>();
  CHECK(exited.limitation_reason() == v1::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  CHECK(exited.limitation().resources_size() == 1);
}

TEST_CASE("records of another boot and of recycled pids mean nobody") {
  doomed_agent agent(true);
  agent.kill();
  auto folder = agent.folder() + "/run/containers";
  auto me = std::to_string(::getpid());
  auto boot = read_small_file("/proc/sys/kernel/random/boot_id").value();
  for (const char* name : {"b", "c"}) fs::create_directories(folder + "/" + name);
  std::ofstream(folder + "/b/pid") << "shim " << me << " 1\ntask " << me << " 1\nboot another\n";
  std::ofstream(folder + "/c/pid") << "shim " << me << " 1\ntask " << me << " 1\nboot " << boot;
  std::ofstream(folder + "/torn", std::ios::out);
  agent.next();
  CHECK_FALSE(fs::exists(folder + "/b"));
  CHECK_FALSE(fs::exists(folder + "/torn"));
  auto exited = agent.hear<internal::ContainerExited>();
  CHECK(exited.container_id().value() == "c");
  CHECK_FALSE(exited.has_status());
}

}  // namespace troupe
