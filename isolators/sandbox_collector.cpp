#include "isolators/sandbox_collector.hpp"

#include "isolators/container_files.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace troupe {

namespace {

namespace fs = std::filesystem;
using std::chrono::nanoseconds;

/// Below a sandbox's parent, from there up: names of a layout's levels, and "" for any.
constexpr const char* levels[] = {"", "frameworks", "", "executors", "", "runs", ""};

/// No links: what they lead to is not ours.
std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    std::error_code gone;
    if (it->symlink_status(gone).type() == fs::file_type::directory) found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// All folders of one level of the layout, given those above.
std::vector<fs::path> next_level(const std::vector<fs::path>& above, const std::string& name) {
  std::vector<fs::path> found;
  for (const auto& folder : above)
    for (auto& each : folders_in(folder))
      if (name.empty() || each.filename() == name) found.push_back(std::move(each));
  return found;
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

std::vector<std::string> sandbox_collector::collect(time_point now, unsigned disk_used_permille) {
  auto keep = kept_for(options_, disk_used_permille);
  std::vector<std::string> removed;
  std::vector<std::vector<fs::path>> found{{fs::path(options_.agents_folder)}};
  for (const auto* level : levels) found.push_back(next_level(found.back(), level));
  for (const auto& sandbox : found.back())
    if (is_due(sandbox, now, keep) && remove_sandbox(sandbox)) removed.push_back(sandbox);
  found.pop_back();
  for (auto level = found.rbegin(); level + 1 != found.rend(); ++level)
    for (const auto& folder : *level) remove_if_deserted(folder, now);
  return removed;
}

}  // namespace troupe
