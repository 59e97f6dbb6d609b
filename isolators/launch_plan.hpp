#pragma once

#include "isolators/container_files.hpp"
#include "isolators/resource_limits.hpp"
#include "isolators/users.hpp"
#include "troupe/internal/container.pb.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// All that the shim is told: how a process becomes the task. Pure data.
struct launch_plan {
  std::string program;
  std::vector<std::string> arguments;              ///< the zeroth included
  std::map<std::string, std::string> environment;  ///< all of it: nothing is inherited
  std::string sandbox;                             ///< working directory; stdout and stderr are files in it
  std::optional<task_user> user;
  std::vector<resource_limit> limits;
  std::vector<std::string> join;  ///< `tasks` files that the task, not the shim, is written into
  container_files files;
  std::string boot_id;
};

/// The plan for a launch; `join`, `files` and `boot_id` are the caller's to fill in. Errors name the field of
/// LaunchContainer and what would be valid. Environment: PATH, then what the launch gives, then what the command gives;
/// the later wins.
result<launch_plan> plan_launch(const internal::LaunchContainer& launch, const std::optional<task_user>& user);

/// The flat form that isolators/shim/plan.h describes. An error if a value holds a NUL byte or the whole exceeds 2 MiB.
result<std::string> flat_form(const launch_plan& plan);

/// For people: why the task of this plan did not start.
std::string explain_failure(const launch_plan& plan, const shim_report& report);

}  // namespace troupe
