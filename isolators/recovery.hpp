#pragma once

#include "actors/runtime/file_descriptor.hpp"
#include "isolators/cgroups.hpp"
#include "isolators/container.hpp"
#include "protocol/error.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// A container that an earlier process left, as it was found. One of these holds:
///
///     `end` is there                     it ended, and that was recorded
///     `shim` is there                    it runs; `launched` and `record.shim` are there
///     `record.status` is there           it ended while nobody looked; how, its shim wrote
///     none of them                       it ended, or is to be ended, and nobody knows how
struct found_container {
  v1::ContainerID id;
  std::string key;
  container_files files;
  std::optional<ended_containers::end> end;
  std::optional<internal::ContainerLaunched> launched;  ///< by what its shim wrote
  container_record record;
  file_descriptor shim;  ///< a pidfd of this very shim, not of a later process of its number
};

/// All that an earlier process left under this runtime directory and that means something in this boot; what means
/// nothing is removed, and so are groups that belong to nobody. Makes the directory if there is none.
///
/// A shim that is only just starting is given a second to say so. After that its container is found as one that ended:
/// a folder takes the place of the pid file, which settles it, because a shim that cannot write its pid file ends its
/// task.
result<std::vector<found_container>> find_leftovers(const std::string& runtime_directory, const cgroups& groups);

/// Ends and removes all that an earlier process left under this runtime directory and in these cgroups: shims, their
/// tasks, groups, files. Makes the directory if there is none. Blocks until nothing is left, at most about ten seconds;
/// what then remains is named in the log. A shim that is only just starting meanwhile finds its directory gone and ends
/// its task itself.
///
/// Processes that have left their session survive if their shim was killed and the freezer controller is not there.
result<void> clear_leftovers(const std::string& runtime_directory, const cgroups& groups);

}  // namespace troupe
