#include "tests/soak/soak_executor.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <system_error>

namespace troupe::soak {

namespace {

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

}  // namespace

soak_executor::~soak_executor() {
  for (auto& [task, j] : jobs_) ::kill(-j.pid, SIGKILL);
  for (auto& [task, j] : jobs_) j.waiter.join();
}

void soak_executor::on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) {
  const auto& id = task.task_id().value();
  auto& j = jobs_[id];
  j.pid = spawn_shell(task.data());
  call.update(task.task_id(), v1::TASK_RUNNING);
  j.waiter = std::thread([this, id, pid = j.pid] {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    tell_(WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "finished" : "failed", id);
  });
}

void soak_executor::on_kill(sdk::executor_calls&, const task_id& task) {
  auto found = jobs_.find(task.value());
  if (found == jobs_.end()) return;
  found->second.killed = true;
  ::kill(-found->second.pid, SIGKILL);
}

void soak_executor::on_shutdown(sdk::executor_calls& call) {
  for (auto& [id, j] : jobs_) {
    ::kill(-j.pid, SIGKILL);
    if (!j.reported) call.update(task_id(id), v1::TASK_KILLED, "the executor was shut down");
    j.reported = true;
  }
}

void soak_executor::on_program_event(sdk::executor_calls& call, const std::string& name, const std::string& id) {
  auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  found->second.waiter.join();
  auto [killed, reported] = std::pair(found->second.killed, found->second.reported);
  jobs_.erase(found);
  if (reported) return;
  call.update(task_id(id), name == "finished" ? v1::TASK_FINISHED : killed ? v1::TASK_KILLED : v1::TASK_FAILED);
}

}  // namespace troupe::soak
