#pragma once

#include "protocol/error.hpp"

#include <string_view>

namespace troupe {

/// Is `role` the same as `ancestor` or below it (`eng` and `eng/backend`)?
bool role_within(std::string_view role, std::string_view ancestor);

/// Is `role` really below `ancestor`, so not the same?
bool role_strictly_within(std::string_view role, std::string_view ancestor);

/// The rules of role names: `*` alone, or components that are separated by single slashes, none of them `.`, `..` or
/// `*`, none starting with `-`, without spaces and control characters. The message names the rule broken.
result<void> validate_role(std::string_view role);

}  // namespace troupe
