#include "isolators/recovery.hpp"

#include "isolators/container_files.hpp"
#include "isolators/process_table.hpp"
#include "isolators/small_file.hpp"

#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <vector>

namespace troupe {
namespace {

namespace fs = std::filesystem;

constexpr int shim_end_ms_max = 5'000;
constexpr int group_tries_max = 1'000;
constexpr int group_pause_ms = 5;

/// A container of an earlier process that may still be running.
struct leftover {
  container_record record;
  file_descriptor shim;  ///< a pidfd; none if the shim is gone
};

/// A descriptor of this very process; none if it is gone.
file_descriptor open_process(const process_identity& process) {
  auto opened = open_pidfd(process.pid);
  // Asked after opening: what the descriptor names cannot change any more.
  if (!opened || !is_alive(process)) return {};
  return opened;
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
  for (const auto& key : groups.leftovers()) groups.kill_all(key);
  end_all(leftovers);
  if (!leftovers.empty()) spdlog::info("containers.cleared count={} reason=agent_restarted", leftovers.size());
  std::error_code failure;
  fs::remove_all(doomed, failure);
  if (failure) return system_error("remove", doomed.string(), failure.value());
  return {};
}

}  // namespace

result<void> clear_leftovers(const std::string& runtime_directory, const cgroups& groups) {
  fs::path root(runtime_directory);
  auto containers = root / "containers";
  auto doomed = root / "doomed";
  std::error_code failure;
  fs::create_directories(root, failure);
  if (failure) return system_error("make", runtime_directory, failure.value());
  // One may be there from a recovery that was itself cut short.
  auto cleared = clear_doomed(doomed, groups);
  if (!cleared) return cleared;
  fs::rename(containers, doomed, failure);
  if (!failure) cleared = clear_doomed(doomed, groups);
  if (!cleared) return cleared;
  for (const auto& key : groups.leftovers()) clear_group(groups, key);
  fs::create_directory(containers, failure);
  if (failure) return system_error("make", containers.string(), failure.value());
  return {};
}

}  // namespace troupe
