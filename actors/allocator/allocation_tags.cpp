#include "actors/allocator/allocation_tags.hpp"

namespace troupe {

result<resources_by_role> split_by_role(const resources::proto_list& list, const std::string& untagged_role) {
  std::map<std::string, resources::proto_list> entries;
  for (const v1::Resource& one : list) {
    const std::string& role = one.has_allocation_info() ? one.allocation_info().role() : untagged_role;
    v1::Resource* bare = entries[role].Add();
    *bare = one;
    bare->clear_allocation_info();
  }
  resources_by_role split;
  for (const auto& [role, protos] : entries) {
    auto parsed = resources::from(protos);
    if (!parsed) return parsed.error();
    split[role] = *std::move(parsed);
  }
  return split;
}

result<resources> without_tags(const resources::proto_list& list) {
  auto parsed = resources::from(list);
  if (!parsed) return parsed.error();
  return parsed->unallocated();
}

void add_tagged(const resources& untagged, const std::string& role, resources::proto_list* list) {
  untagged.allocated_to(role).add_to(list);
}

}  // namespace troupe
