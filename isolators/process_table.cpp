#include "isolators/process_table.hpp"

#include "isolators/small_file.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cctype>
#include <filesystem>
#include <sstream>

namespace troupe {
namespace {

namespace fs = std::filesystem;

std::optional<process_stat> read_process(const std::string& pid) {
  auto text = read_small_file("/proc/" + pid + "/stat");
  if (!text) return std::nullopt;
  auto stat = parse_process_stat(*text);
  if (!stat) return std::nullopt;
  return *stat;
}

}  // namespace

result<process_stat> parse_process_stat(std::string_view line) {
  // The second field is a name in parentheses that may hold anything, parentheses included.
  auto name_end = line.rfind(')');
  if (name_end == std::string_view::npos) return error{errc::corrupt, "a process's stat line has no name"};
  process_stat stat;
  std::istringstream before{std::string(line.substr(0, name_end))};
  std::istringstream after{std::string(line.substr(name_end + 1))};
  before >> stat.identity.pid;
  pid_t group = 0;
  after >> stat.state >> stat.parent >> group >> stat.session;
  std::string passed;
  for (int field = 7; field < 22; ++field) after >> passed;
  after >> stat.identity.start_time;
  if (!before || !after) return error{errc::corrupt, "a process's stat line ends before its start time"};
  return stat;
}

// System calls by number: the C library's header for them does not work in C++ (glibc 2.36).
file_descriptor open_pidfd(pid_t pid) {
  return file_descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

void signal_process(const file_descriptor& process, int number) {
  if (process) ::syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0);
}

bool is_alive(const process_identity& process) {
  auto now = read_process(std::to_string(process.pid));
  return now && now->state != 'Z' && now->state != 'X' && now->identity.start_time == process.start_time;
}

bool kill_session(const process_identity& leader) {
  auto now = read_process(std::to_string(leader.pid));
  // A session outlives its leader, and its number is not given to another process meanwhile.
  if (now && now->identity.start_time != leader.start_time) return false;
  bool found = false;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator("/proc", failure)) {
    auto name = entry.path().filename().string();
    if (std::isdigit(static_cast<unsigned char>(name[0])) == 0) continue;
    auto process = read_process(name);
    if (!process || process->session != leader.pid || process->state == 'Z') continue;
    found = ::kill(process->identity.pid, SIGKILL) == 0 || found;
  }
  return found;
}

std::string boot_id() {
  auto text = read_small_file("/proc/sys/kernel/random/boot_id");
  if (!text) return {};
  return text->substr(0, text->find('\n'));
}

}  // namespace troupe
