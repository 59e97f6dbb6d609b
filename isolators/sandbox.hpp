#pragma once

#include "isolators/users.hpp"
#include "protocol/error.hpp"

#include <optional>
#include <string>

namespace troupe {

/// Makes the directory and its parents where they are missing, and gives the directory itself (mode 0750) to the user;
/// none: to us. Refuses a sandbox that is a symbolic link or no directory. In a folder called `runs` the link `latest`
/// leads to it afterwards.
result<void> make_sandbox(const std::string& path, const std::optional<task_user>& user);

}  // namespace troupe
