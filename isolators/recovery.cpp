#include "isolators/recovery.hpp"

#include "isolators/container_files.hpp"
#include "isolators/launcher.hpp"
#include "isolators/process_table.hpp"
#include "isolators/small_file.hpp"

#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <set>
#include <utility>

namespace troupe {
namespace {

namespace fs = std::filesystem;

constexpr int shim_end_ms_max = 5'000;
constexpr int group_tries_max = 1'000;
constexpr int group_pause_ms = 5;
constexpr std::chrono::seconds pid_file_wait_max{1};
constexpr int pid_file_pause_ms = 5;

/// A container of an earlier process that may still be running.
struct leftover {
  container_record record;
  file_descriptor shim;  ///< a pidfd; none if the shim is gone
};

/// A descriptor of this very process; none if it is gone. An earlier containerizer of this process may have been its
/// parent, and then nobody else asks how it ended.
file_descriptor open_process(const process_identity& process) {
  auto opened = open_pidfd(process.pid);
  // Asked after opening: what the descriptor names cannot change any more.
  if (opened && is_alive(process)) return opened;
  started_shim gone;
  gone.pid = process.pid;
  gone.process = std::move(opened);
  if (gone.process) (void)reap(gone);
  return {};
}

std::vector<leftover> read_leftovers(const fs::path& doomed) {
  std::vector<leftover> found;
  auto boot = boot_id();
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(doomed, failure)) {
    auto text = read_small_file((entry.path() / "pid").string());
    if (!text) continue;
    auto record = parse_container_record(*text);
    if (!record) {
      spdlog::warn("container.record_unreadable path={} error=\"{}\"", entry.path().string(), record.error().message);
      continue;
    }
    if (record->boot != boot) continue;  // numbers of an earlier run of the machine name nobody
    leftover one{*record, {}};
    if (record->shim) one.shim = open_process(*record->shim);
    found.push_back(std::move(one));
  }
  return found;
}

void await_end(const file_descriptor& process) {
  pollfd waited{process.get(), POLLIN, 0};
  if (::poll(&waited, 1, shim_end_ms_max) > 0) return;
  signal_process(process, SIGKILL);
  ::poll(&waited, 1, shim_end_ms_max);
}

void end_all(const std::vector<leftover>& leftovers) {
  for (const auto& one : leftovers) signal_process(one.shim, SIGTERM);
  for (const auto& one : leftovers) {
    if (one.shim) await_end(one.shim);
    if (one.record.task) kill_session(*one.record.task);
  }
}

void clear_group(const cgroups& groups, const std::string& key) {
  for (int i = 0; i < group_tries_max; ++i) {
    groups.kill_all(key);
    if (groups.remove(key)) return;
    ::poll(nullptr, 0, group_pause_ms);  // until init has reaped what was killed
  }
  spdlog::error("cgroup.not_removed container={}", key);
}

result<void> clear_doomed(const fs::path& doomed, const cgroups& groups) {
  auto leftovers = read_leftovers(doomed);
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(doomed, failure)) groups.kill_all(entry.path().filename());
  end_all(leftovers);
  if (!leftovers.empty()) spdlog::info("containers.cleared count={}", leftovers.size());
  fs::remove_all(doomed, failure);
  if (failure) return system_error("remove", doomed.string(), failure.value());
  return {};
}

// --- finding instead of clearing

enum class sense { none, of_another_boot, of_this_boot };

/// How it ended, as an earlier process recorded it.
sense read_end(found_container& found, const std::string& boot) {
  auto text = read_small_file(found.files.end_path);
  if (!text) return sense::none;
  internal::ContainerEnd message;
  if (!message.ParseFromString(*text) || !(found.end = end_of(message))) {
    spdlog::warn("container.end_unreadable path={}", found.files.end_path);
    return sense::none;
  }
  return message.boot() == boot ? sense::of_this_boot : sense::of_another_boot;
}

std::optional<container_record> read_record(const std::string& path) {
  auto text = read_small_file(path);
  if (!text) return std::nullopt;
  auto record = parse_container_record(*text);
  if (record) return *record;
  spdlog::warn("container.record_unreadable path={} error=\"{}\"", path, record.error().message);
  return std::nullopt;
}

/// The pid file is written right after the command has been started.
std::int64_t start_ns(const std::string& pid_path) {
  struct stat info {};
  if (::stat(pid_path.c_str(), &info) != 0) return 0;
  return info.st_mtim.tv_sec * std::int64_t{1'000'000'000} + info.st_mtim.tv_nsec;
}

sense read_pid(found_container& found, const std::string& boot) {
  auto record = read_record(found.files.pid_path);
  if (!record) return sense::none;
  if (record->boot != boot) return sense::of_another_boot;  // its numbers name nobody
  found.record = *record;
  if (record->task) {
    auto& launched = found.launched.emplace();
    *launched.mutable_container_id() = found.id;
    launched.set_pid(record->task->pid);
    launched.set_start_time(record->task->start_time);
    launched.mutable_launched_at()->set_nanoseconds(start_ns(found.files.pid_path));
  }
  if (record->shim) found.shim = open_process(*record->shim);
  if (found.shim) return sense::of_this_boot;
  // Only now: a shim writes the status before it ends.
  if (auto status = read_record(found.files.status_path)) found.record.status = status->status;
  return sense::of_this_boot;
}

/// Waits for pid files, all together; those that do not come cannot come any more.
void await_pids(std::vector<found_container*>& starting, const std::string& boot) {
  auto until = std::chrono::steady_clock::now() + pid_file_wait_max;
  auto has_come = [&](found_container* one) { return read_pid(*one, boot) != sense::none; };
  for (;;) {
    starting.erase(std::remove_if(starting.begin(), starting.end(), has_come), starting.end());
    if (starting.empty() || std::chrono::steady_clock::now() >= until) break;
    ::poll(nullptr, 0, pid_file_pause_ms);
  }
  for (auto* one : starting) {
    if (::mkdir(one->files.pid_path.c_str(), 0700) == 0)
      spdlog::warn("container.never_started container={}", one->key);
    else
      read_pid(*one, boot);  // at the last moment, or settled so by an earlier process
  }
}

/// Absent: it means nothing, and has been removed.
std::optional<found_container> read_container(const fs::path& folder, const std::string& boot, bool& starting) {
  auto key = folder.filename().string();
  auto id = container_id_of(key);
  auto known = sense::of_another_boot;
  found_container found;
  std::error_code failure;
  if (id && fs::is_directory(folder, failure)) {
    found.id = *id;
    found.key = key;
    found.files = files_of(folder.parent_path().parent_path(), key);
    known = read_end(found, boot);
    if (known == sense::none) known = read_pid(found, boot);
  }
  starting = known == sense::none;
  if (known != sense::of_another_boot) return found;
  fs::remove_all(folder, failure);
  spdlog::info("container.meaningless path={}", folder.string());
  return std::nullopt;
}

std::vector<found_container> read_containers(const fs::path& containers) {
  auto boot = boot_id();
  std::vector<fs::path> folders;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(containers, failure)) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  std::vector<found_container> all;
  all.reserve(folders.size());  // pointers into it follow
  std::vector<found_container*> starting;
  for (const auto& folder : folders) {
    bool is_starting = false;
    auto found = read_container(folder, boot, is_starting);
    if (!found) continue;
    all.push_back(std::move(*found));
    if (is_starting) starting.push_back(&all.back());
  }
  await_pids(starting, boot);
  return all;
}

result<void> make_folder(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) return system_error("make", folder.string(), failure.value());
  return {};
}

}  // namespace

result<std::vector<found_container>> find_leftovers(const std::string& runtime_directory, const cgroups& groups) {
  fs::path root(runtime_directory);
  auto made = make_folder(root / "containers");
  if (!made) return made.error();
  auto cleared = clear_doomed(root / "doomed", groups);  // a clearing that was cut short
  if (!cleared) return cleared.error();
  auto found = read_containers(root / "containers");
  std::set<std::string> open;
  for (const auto& one : found) {
    if (!one.end) open.insert(one.key);
  }
  for (const auto& key : groups.leftovers()) {
    if (open.count(key) == 0) clear_group(groups, key);
  }
  return found;
}

result<void> clear_leftovers(const std::string& runtime_directory, const cgroups& groups) {
  fs::path root(runtime_directory);
  auto containers = root / "containers";
  auto doomed = root / "doomed";
  auto made = make_folder(root);
  if (!made) return made;
  // One may be there from a clearing that was itself cut short.
  auto cleared = clear_doomed(doomed, groups);
  if (!cleared) return cleared;
  std::error_code failure;
  fs::rename(containers, doomed, failure);
  if (!failure) cleared = clear_doomed(doomed, groups);
  if (!cleared) return cleared;
  for (const auto& key : groups.leftovers()) clear_group(groups, key);
  return make_folder(containers);
}

}  // namespace troupe
