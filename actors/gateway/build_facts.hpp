#pragma once

#include <cstdint>
#include <string>

namespace troupe {

class json_object_writer;

/// What `/version` tells, and `/state` as well.
struct build_facts {
  std::string version;
  std::string build_date;         ///< "2026-01-02 03:04:05", UTC
  std::int64_t build_time_s = 0;  ///< the same, since 1970
  std::string build_user;
  std::string git_sha, git_branch, git_tag;  ///< empty: not known, and left out
};

void build_fields(const build_facts& facts, json_object_writer& object);

}  // namespace troupe
