#include "isolators/sandbox_collector.hpp"

#include "isolators/container_files.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace troupe {

namespace {

namespace fs = std::filesystem;
using std::chrono::nanoseconds;

/// Below a sandbox's parent, from there up: names of a layout's levels, and "" for any.
constexpr const char* levels[] = {"", "frameworks", "", "executors", "", "runs", ""};

/// Calls visit(path) for each folder in `folder` of that name, or of any. No links: what they lead to is not ours. One
/// entry is held at a time, for there may be a million; `visit` may remove what it is shown.
template <class Visit>
void for_each_folder(const std::string& folder, const std::string& name, const Visit& visit) {
  std::error_code failure;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    std::error_code gone;
    if (it->symlink_status(gone).type() != fs::file_type::directory) continue;
    if (name.empty() || it->path().filename() == name) visit(it->path().string());
  }
}

std::optional<nanoseconds> age_of(const std::string& path, sandbox_collector::time_point now) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return std::nullopt;
  auto modified = std::chrono::seconds(info.st_mtim.tv_sec) + nanoseconds(info.st_mtim.tv_nsec);
  return now.time_since_epoch() - modified;
}

void set_modified(const std::string& path, sandbox_collector::time_point now) {
  auto since = now.time_since_epoch();
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  timespec times[2] = {{0, UTIME_OMIT},
                       {seconds.count(), std::chrono::duration_cast<nanoseconds>(since - seconds).count()}};
  ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

/// `latest`, once the run that it named is gone.
void remove_dangling_links(const fs::path& folder) {
  std::error_code failure;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    std::error_code ignored;
    if (it->is_symlink(ignored) && !fs::exists(it->path(), ignored)) fs::remove(it->path(), ignored);
  }
}

bool remove_sandbox(const fs::path& sandbox) {
  std::error_code failure;
  fs::remove_all(sandbox, failure);
  if (failure) spdlog::warn("sandbox.not_removed path={} error=\"{}\"", sandbox.string(), failure.message());
  remove_dangling_links(sandbox.parent_path());
  return !failure;
}

}  // namespace

nanoseconds kept_for(const collection_options& options, unsigned disk_used_permille) {
  constexpr unsigned all = 1000;
  auto taken = std::min(all, options.headroom_permille + disk_used_permille);
  return options.keep / all * (all - taken);
}

std::optional<unsigned> disk_used_permille(const std::string& folder) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0 || info.f_blocks == 0) return std::nullopt;
  return static_cast<unsigned>((info.f_blocks - info.f_bfree) * 1000 / info.f_blocks);
}

bool sandbox_collector::in_use(const std::string& container) const {
  v1::ContainerID id;
  id.set_value(container);
  auto key = container_key(id);
  if (!key) return false;
  auto files = files_of(options_.runtime_directory, *key);
  auto is_there = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
  // The shim's word is enough: while no agent is there, nobody records the end.
  return is_there(files.directory) && !is_there(files.end_path) && !is_there(files.status_path);
}

bool sandbox_collector::is_due(const std::string& sandbox, time_point now, nanoseconds keep) {
  if (in_use(fs::path(sandbox).filename())) {
    used_.insert(sandbox);
    return false;
  }
  if (used_.erase(sandbox) > 0) set_modified(sandbox, now);
  auto age = age_of(sandbox, now);
  return age && *age >= std::max({keep, options_.interval, collection_options::age_min});
}

/// Not when it has just come, or lost something: a launch may be about to use it.
void sandbox_collector::remove_if_deserted(const std::string& folder, time_point now) const {
  auto age = age_of(folder, now);
  if (age && *age >= std::max(options_.interval, collection_options::age_min)) ::rmdir(folder.c_str());
}

/// All that is in `folder`, which `levels[level]` names; what this leaves empty goes too, from below upwards.
void sandbox_collector::collect_in(const std::string& folder, std::size_t level, round& now) {
  const bool of_sandboxes = level + 1 == std::size(levels);
  for_each_folder(folder, levels[level], [&](const std::string& path) {
    if (!of_sandboxes) {
      collect_in(path, level + 1, now);
      remove_if_deserted(path, now.at);
    } else if (is_due(path, now.at, now.keep) && remove_sandbox(path)) {
      now.removed.push_back(path);
    }
  });
}

std::vector<std::string> sandbox_collector::collect(time_point now, unsigned disk_used_permille) {
  round current{now, kept_for(options_, disk_used_permille), {}};
  collect_in(options_.agents_folder, 0, current);
  std::sort(current.removed.begin(), current.removed.end());
  return std::move(current.removed);
}

}  // namespace troupe
