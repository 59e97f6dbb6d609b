#pragma once

#include <string>
#include <vector>

namespace troupe {

/// What isolators want done to the machine for one container: said here, done elsewhere (cgroups.hpp), so that it can
/// be tested without being root. Carried out in this order: directories, writes; the task itself joins.
struct isolation_plan {
  struct file_write {
    std::string path;
    std::string value;
    bool optional = false;  ///< passed over where the kernel has no such file
  };

  std::vector<std::string> directories;  ///< to be made; taken away, last first, when the container has ended
  std::vector<file_write> writes;        ///< into files that exist once the directories do, in order
  std::vector<std::string> join;         ///< `tasks` files that the task is written into before it is the task

  isolation_plan& operator+=(const isolation_plan& other) {
    directories.insert(directories.end(), other.directories.begin(), other.directories.end());
    writes.insert(writes.end(), other.writes.begin(), other.writes.end());
    join.insert(join.end(), other.join.begin(), other.join.end());
    return *this;
  }
};

}  // namespace troupe
