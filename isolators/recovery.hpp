#pragma once

#include "isolators/cgroups.hpp"
#include "protocol/error.hpp"

#include <string>

namespace troupe {

/// Ends and removes all that an earlier process left under this runtime directory and in these cgroups: shims, their
/// tasks, groups, files. Makes the directory if there is none. Blocks until nothing is left, at most about ten seconds;
/// what then remains is named in the log. A shim that is only just starting meanwhile finds its directory gone and ends
/// its task itself.
///
/// Processes that have left their session survive if their shim was killed and the freezer controller is not there.
result<void> clear_leftovers(const std::string& runtime_directory, const cgroups& groups);

}  // namespace troupe
