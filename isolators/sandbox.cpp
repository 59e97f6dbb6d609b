#include "isolators/sandbox.hpp"

#include "actors/runtime/file_descriptor.hpp"
#include "isolators/small_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace troupe {
namespace {

namespace fs = std::filesystem;

/// Again when a folder on the way vanishes meanwhile: the collector takes away those that have long been empty.
std::error_code make_folders(const fs::path& path) {
  constexpr int attempts_max = 5;
  std::error_code failure;
  for (int i = 0; i < attempts_max; ++i) {
    fs::create_directories(path, failure);
    if (failure != std::errc::no_such_file_or_directory) break;
  }
  return failure;
}

/// For people, who look for the last run of an executor under this name. Only in a folder of runs, which is ours; a run
/// does not fail for want of it.
void point_latest_at(const fs::path& sandbox) {
  auto runs = sandbox.parent_path();
  if (runs.filename() != "runs") return;
  auto latest = runs / "latest";
  std::error_code ignored;
  if (::symlink(sandbox.filename().c_str(), latest.c_str()) == 0) return;  // the first run
  auto fresh = runs / (".latest-" + sandbox.filename().string());
  fs::remove(fresh, ignored);
  fs::create_symlink(sandbox.filename(), fresh, ignored);
  fs::rename(fresh, latest, ignored);
}

}  // namespace

result<void> make_sandbox(const std::string& path, const std::optional<task_user>& user) {
  if (auto failure = make_folders(path)) return system_error("make the sandbox", path, failure.value());
  file_descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return system_error("open the sandbox", path, errno);
  if (::fchmod(directory.get(), 0750) != 0) return system_error("set the mode of the sandbox", path, errno);
  if (user && ::fchown(directory.get(), user->uid, user->gid) != 0) {
    return system_error("give the sandbox to uid " + std::to_string(user->uid), path, errno);
  }
  point_latest_at(path);
  return {};
}

}  // namespace troupe
