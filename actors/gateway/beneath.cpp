#include "actors/gateway/beneath.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <deque>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace troupe {

namespace {

constexpr int links_max = 40;
constexpr std::size_t depth_max = 256;
constexpr std::size_t names_max = 1024;

error not_there(const std::string& relative) {
  return {errc::not_found, "no file or folder at " + relative};
}

error from_errno(const std::string& relative, int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO:
      return not_there(relative);
    default:
      return {errc::io, "cannot open " + relative + ": " + std::generic_category().message(code)};
  }
}

/// Puts the names of a path before those that are left to walk.
void prepend_names(std::deque<std::string>& names, std::string_view path) {
  std::vector<std::string> found;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const auto name = path.substr(0, slash);
    if (!name.empty() && name != ".") found.emplace_back(name);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  names.insert(names.begin(), found.begin(), found.end());
}

/// The way from the root to where the walk is. Going up means going back along it, so a folder that is moved meanwhile
/// leads nowhere else.
class walk {
 public:
  walk(file_descriptor root, std::string relative) : relative_(std::move(relative)) {
    way_.push_back(std::move(root));
    prepend_names(names_, relative_);
  }

  result<file_descriptor> run() {
    while (!names_.empty()) {
      if (names_.size() > names_max || way_.size() > depth_max) return not_there(relative_);
      const auto name = std::move(names_.front());
      names_.pop_front();
      if (auto failure = go(name)) return *failure;
    }
    if (here_) return std::move(here_);
    return reopen(way_.back().get(), ".");
  }

 private:
  std::optional<error> go(const std::string& name) {
    if (here_) return not_there(relative_);  // a file has nothing below it
    if (name == "..") {
      if (way_.size() == 1) return not_there(relative_);
      way_.pop_back();
      return std::nullopt;
    }
    // Opening a path only has no effect on what it is, whatever that may be.
    file_descriptor next(::openat(way_.back().get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (!next || ::fstat(next.get(), &info) != 0) return from_errno(relative_, errno);
    if (S_ISLNK(info.st_mode)) return follow(next.get());
    if (S_ISDIR(info.st_mode)) {
      way_.push_back(std::move(next));
      return std::nullopt;
    }
    if (!S_ISREG(info.st_mode)) return not_there(relative_);
    auto file = reopen(way_.back().get(), name);
    if (!file) return file.error();
    here_ = std::move(*file);
    return std::nullopt;
  }

  std::optional<error> follow(int link) {
    if (++links_ > links_max) return not_there(relative_);
    char target[PATH_MAX];
    const auto size = ::readlinkat(link, "", target, sizeof target);
    if (size < 0) return from_errno(relative_, errno);
    if (size == 0 || static_cast<std::size_t>(size) == sizeof target || target[0] == '/') return not_there(relative_);
    prepend_names(names_, {target, static_cast<std::size_t>(size)});
    return std::nullopt;
  }

  /// For reading. Should a pipe have taken the file's place by now, it is not waited for, and not served.
  result<file_descriptor> reopen(int folder, const std::string& name) {
    file_descriptor fd(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0) return from_errno(relative_, errno);
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) return not_there(relative_);
    return fd;
  }

  const std::string relative_;
  std::deque<std::string> names_;
  std::vector<file_descriptor> way_;
  file_descriptor here_;  ///< the file, once it has been reached
  int links_ = 0;
};

}  // namespace

result<file_descriptor> open_beneath(const std::string& root, const std::string& relative) {
  file_descriptor top(::open(root.c_str(), O_PATH | O_CLOEXEC));
  struct stat info {};
  if (!top || ::fstat(top.get(), &info) != 0) return from_errno(relative.empty() ? root : relative, errno);
  if (S_ISDIR(info.st_mode)) return walk(std::move(top), relative).run();
  if (!S_ISREG(info.st_mode) || relative.find_first_not_of('/') != std::string::npos) return not_there(relative);
  file_descriptor file(::open(root.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return from_errno(root, errno);
  return file;
}

}  // namespace troupe
