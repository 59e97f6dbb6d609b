#include "isolators/sandbox.hpp"

#include "actors/runtime/file_descriptor.hpp"
#include "isolators/small_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace troupe {

result<void> make_sandbox(const std::string& path, const std::optional<task_user>& user) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure) return system_error("make the sandbox", path, failure.value());
  file_descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return system_error("open the sandbox", path, errno);
  if (::fchmod(directory.get(), 0750) != 0) return system_error("set the mode of the sandbox", path, errno);
  if (user && ::fchown(directory.get(), user->uid, user->gid) != 0) {
    return system_error("give the sandbox to uid " + std::to_string(user->uid), path, errno);
  }
  return {};
}

}  // namespace troupe
