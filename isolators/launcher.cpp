#include "isolators/launcher.hpp"

#include "isolators/process_table.hpp"
#include "isolators/small_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>

namespace troupe {
namespace {

// Where the shim expects them.
constexpr int plan_fd = 3;
constexpr int report_fd = 4;
// Ours are moved above those, so that putting one in place never overwrites the other.
constexpr int own_fd_min = 10;

file_descriptor moved_up(file_descriptor fd) {
  return file_descriptor(::fcntl(fd.get(), F_DUPFD_CLOEXEC, own_fd_min));
}

result<file_descriptor> plan_file(const std::string& flat_plan) {
  file_descriptor file(::memfd_create("troupe-plan", MFD_CLOEXEC));
  if (!file) return system_error("make", "the launch plan", errno);
  for (std::size_t done = 0; done < flat_plan.size();) {
    auto size = ::write(file.get(), flat_plan.data() + done, flat_plan.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("write", "the launch plan", errno);
    done += static_cast<std::size_t>(size);
  }
  return moved_up(std::move(file));
}

/// The parameters of posix_spawn, which must be destroyed.
class spawn_setup {
 public:
  spawn_setup() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~spawn_setup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  spawn_setup(const spawn_setup&) = delete;
  spawn_setup& operator=(const spawn_setup&) = delete;

  void descriptors(int plan, int report) {
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, 0, 2);
    posix_spawn_file_actions_adddup2(&actions, plan, plan_fd);
    posix_spawn_file_actions_adddup2(&actions, report, report_fd);
    posix_spawn_file_actions_addclosefrom_np(&actions, report_fd + 1);
  }
  /// All blocked: an early SIGTERM waits until the shim listens.
  void signals() {
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  }

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

}  // namespace

result<started_shim> start_shim(const std::string& shim_path, const std::string& name, const std::string& flat_plan) {
  auto plan = plan_file(flat_plan);
  if (!plan) return plan.error();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return system_error("make", "a pipe for the shim's report", errno);
  started_shim shim;
  shim.report = file_descriptor(ends[0]);
  auto report_end = moved_up(file_descriptor(ends[1]));
  if (!*plan || !report_end) return system_error("place", "the shim's descriptors", errno);

  spawn_setup setup;
  setup.descriptors(plan->get(), report_end.get());
  setup.signals();
  std::string program = "troupe-shim";
  std::string label = name;
  char* arguments[] = {program.data(), label.data(), nullptr};
  char* environment[] = {nullptr};
  int failed = ::posix_spawn(&shim.pid, shim_path.c_str(), &setup.actions, &setup.attributes, arguments, environment);
  if (failed != 0) return system_error("start", shim_path, failed);
  shim.process = open_pidfd(shim.pid);
  if (!shim.process) {
    auto failure = system_error("watch", shim_path, errno);
    ::kill(shim.pid, SIGKILL);  // still ours: it is not reaped before the next line
    ::waitpid(shim.pid, nullptr, 0);
    return failure;
  }
  return shim;
}

bool reap(const started_shim& shim) {
  siginfo_t info{};
  auto from = static_cast<idtype_t>(P_PIDFD);
  return ::waitid(from, static_cast<id_t>(shim.process.get()), &info, WEXITED | WNOHANG) == 0 &&
         info.si_pid == shim.pid;
}

std::string shim_beside_program() {
  std::error_code failure;
  auto program = std::filesystem::read_symlink("/proc/self/exe", failure);
  return program.parent_path() / "troupe-shim";
}

}  // namespace troupe
