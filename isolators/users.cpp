#include "isolators/users.hpp"

#include "isolators/small_file.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>

namespace troupe {
namespace {

constexpr int groups_max = 256;

result<std::vector<gid_t>> groups_of(const std::string& name, gid_t primary) {
  std::vector<gid_t> groups(groups_max);
  int count = groups_max;
  if (::getgrouplist(name.c_str(), primary, groups.data(), &count) < 0) {
    return invalid("user '" + name + "' is in more than 256 groups");
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

}  // namespace

result<std::optional<task_user>> find_user(const std::string& name) {
  if (name.empty()) return std::optional<task_user>();
  std::vector<char> buffer(64 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  int failed = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (failed != 0) return system_error("look up user", name, failed);
  if (found == nullptr) return invalid("user '" + name + "' does not exist on this machine");
  if (::geteuid() != 0) {
    if (found->pw_uid == ::geteuid()) return std::optional<task_user>();
    return invalid("user '" + name + "' cannot be switched to: the agent is not root and runs as uid " +
                   std::to_string(::geteuid()));
  }
  auto groups = groups_of(name, found->pw_gid);
  if (!groups) return groups.error();
  return std::optional<task_user>({found->pw_uid, found->pw_gid, groups.value()});
}

}  // namespace troupe
