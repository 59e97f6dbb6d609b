#pragma once

#include "protocol/resources.hpp"

#include <map>
#include <string>

namespace troupe {

/// role → what is allocated to it, without the tags that say so.
using resources_by_role = std::map<std::string, resources>;

/// Sorts entries by the role they are allocated to and takes the tags off; those without a tag count as
/// `untagged_role`'s. Errors: what resources::from finds wrong.
result<resources_by_role> split_by_role(const resources::proto_list& list, const std::string& untagged_role);

/// All entries, whatever they are allocated to, without tags.
result<resources> without_tags(const resources::proto_list& list);

/// Appends the entries to `list`, tagged as allocated to `role`.
void add_tagged(const resources& untagged, const std::string& role, resources::proto_list* list);

}  // namespace troupe
