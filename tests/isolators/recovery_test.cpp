#include "isolators/recovery.hpp"

#include "isolators/small_file.hpp"
#include "tests/isolators/container_lab.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

namespace troupe {
namespace {

namespace fs = std::filesystem;

/// An agent in a process of its own, with one container that has told us its pids.
class doomed_agent {
 public:
  explicit doomed_agent(bool with_cgroups) : with_cgroups_(with_cgroups) {
    std::string name = "/tmp/troupe-lab-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
    auto fifo = folder_ + "/up";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    // The grandchild leaves the task's session; only then the container tells: shim, task, grandchild.
    auto script =
        "setsid sh -c 'echo " + std::string("$0 $1 $$ > ") + fifo + "; exec sleep 1000' $PPID $$ & exec sleep 1000";
    std::string program = TROUPE_RECOVERY_OWNER;
    std::string cgroups = with_cgroups ? "1" : "0";
    char* arguments[] = {program.data(), folder_.data(), cgroups.data(), script.data(), nullptr};
    REQUIRE(::posix_spawn(&owner_, program.c_str(), nullptr, nullptr, arguments, environ) == 0);
    std::ifstream up(fifo);
    up >> shim >> task >> grandchild;
    REQUIRE(up);
  }
  ~doomed_agent() {
    kill();
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
  /// What the next agent does first, and its orderly end.
  result<void> clear() {
    auto next = containerizer::start(lab_options(folder_, with_cgroups_), [](const container_event&) {});
    if (!next) return next.error();
    return {};
  }
  std::string folder() const { return folder_; }

  int shim = 0;
  int task = 0;
  int grandchild = 0;

 private:
  bool with_cgroups_;
  std::string folder_;
  pid_t owner_ = 0;
};

}  // namespace

TEST_CASE("a container outlives its agent's death, and the next agent leaves nothing of it") {
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

TEST_CASE("records of an earlier boot end nobody") {
  doomed_agent agent(true);
  auto path = agent.folder() + "/run/containers/b";
  fs::create_directories(path);
  std::ofstream(path + "/pid") << "shim " << ::getpid() << " 1\ntask " << ::getpid() << " 1\nboot another\n";
  std::ofstream(agent.folder() + "/run/containers/torn", std::ios::out);
  agent.kill();
  REQUIRE(agent.clear().has_value());
  CHECK(fs::is_empty(agent.folder() + "/run/containers"));
}

}  // namespace troupe
