#include "actors/gateway/build_facts.hpp"

#include "protocol/json_text.hpp"

namespace troupe {

void build_fields(const build_facts& facts, json_object_writer& object) {
  object.field("version", facts.version)
      .field("build_date", facts.build_date)
      .field("build_time", static_cast<double>(facts.build_time_s))
      .field("build_user", facts.build_user);
  if (!facts.git_sha.empty()) object.field("git_sha", facts.git_sha);
  if (!facts.git_branch.empty()) object.field("git_branch", facts.git_branch);
  if (!facts.git_tag.empty()) object.field("git_tag", facts.git_tag);
}

}  // namespace troupe
