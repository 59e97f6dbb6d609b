#pragma once

#include "protocol/error.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// As whom a task runs.
struct task_user {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary ones; at most 256
};

/// Looks a user up in the machine's user database (which may block). Absent for an empty name and for the user that
/// this process runs as without being root: nothing is to be switched. An error if there is no such user, or if this
/// process may not become it.
result<std::optional<task_user>> find_user(const std::string& name);

}  // namespace troupe
