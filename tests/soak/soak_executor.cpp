#include "tests/soak/soak_executor.hpp"

#include "actors/runtime/file_descriptor.hpp"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <system_error>

namespace troupe::soak {

namespace {

constexpr int claimed_by_another = 99;

pid_t spawn_shell(std::string command) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::string name = "/bin/sh", option = "-c";
  char* arguments[] = {name.data(), option.data(), command.data(), nullptr};
  pid_t pid = 0;
  int failed = ::posix_spawn(&pid, name.c_str(), nullptr, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) throw std::system_error(failed, std::generic_category(), "posix_spawn");
  return pid;
}

/// Claims the task, says who it is, does the work, says how it ended. What is said is there as a whole or not at all.
std::string script(const std::string& folder, const std::string& command) {
  const auto at = "'" + folder + "'";
  return "mkdir " + at + " 2>/dev/null || exit " + std::to_string(claimed_by_another) + "; echo $$ >" + at +
         "/_pid && mv " + at + "/_pid " + at + "/pid; (" + command + "); echo $? >" + at + "/_status && mv " + at +
         "/_status " + at + "/status";
}

int number_in(const std::string& path, int otherwise) {
  std::ifstream in(path);
  int number = otherwise;
  in >> number;
  return number;
}

int await_exit(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Of a process that is no child. Its number is not another's by now: until its status is there it has not ended.
void await_end_of(pid_t pid) {
  file_descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (process.get() < 0) return;
  pollfd readable{process.get(), POLLIN, 0};
  while (::poll(&readable, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace

soak_executor::~soak_executor() {
  for (auto& [task, j] : jobs_) kill(j);
  for (auto& [task, j] : jobs_) j.waiter.join();
}

void soak_executor::on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) {
  begin(task);
  call.update(task.task_id(), v1::TASK_RUNNING);
}

void soak_executor::on_recovered(sdk::executor_calls&, const std::vector<v1::TaskInfo>& tasks) {
  for (const auto& task : tasks) begin(task);
}

void soak_executor::begin(const v1::TaskInfo& task) {
  const auto& id = task.task_id().value();
  auto& j = jobs_[id];
  j.waiter =
      std::thread([this, id, command = task.data(), &j] { tell_(run(id, command, j) ? "finished" : "failed", id); });
}

/// Whether the task came to a good end.
bool soak_executor::run(const std::string& id, const std::string& command, job& j) {
  const auto folder = sandbox_ + "/" + id;
  auto pid = spawn_shell(script(folder, command));
  const auto set_group = [&](pid_t group) {
    std::lock_guard<std::mutex> lock(j.mutex);
    j.group = group;
    if (j.killed) ::kill(-group, SIGKILL);
  };
  set_group(pid);
  if (await_exit(pid) == claimed_by_another) {
    while ((pid = number_in(folder + "/pid", 0)) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (::access((folder + "/status").c_str(), F_OK) != 0) {
      set_group(pid);
      await_end_of(pid);
    }
  }
  {
    std::lock_guard<std::mutex> lock(j.mutex);
    j.group = 0;
  }
  return number_in(folder + "/status", -1) == 0;
}

void soak_executor::kill(job& j) {
  std::lock_guard<std::mutex> lock(j.mutex);
  j.killed = true;
  if (j.group != 0) ::kill(-j.group, SIGKILL);
}

void soak_executor::on_kill(sdk::executor_calls&, const task_id& task) {
  const auto found = jobs_.find(task.value());
  if (found != jobs_.end()) kill(found->second);
}

void soak_executor::on_shutdown(sdk::executor_calls& call) {
  for (auto& [id, j] : jobs_) {
    kill(j);
    if (!j.reported) call.update(task_id(id), v1::TASK_KILLED, "the executor was shut down");
    j.reported = true;
  }
}

void soak_executor::on_program_event(sdk::executor_calls& call, const std::string& name, const std::string& id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  found->second.waiter.join();
  const auto [killed, reported] = std::pair(found->second.killed, found->second.reported);
  jobs_.erase(found);
  if (reported) return;
  call.update(task_id(id), name == "finished" ? v1::TASK_FINISHED : killed ? v1::TASK_KILLED : v1::TASK_FAILED);
}

}  // namespace troupe::soak
