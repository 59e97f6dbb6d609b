#pragma once

#include "frameworks/sdk/simulated.hpp"
#include "protocol/error.hpp"

#include <string>

namespace troupe {

/// Loads a framework's shared object (frameworks/sdk/simulated.hpp), for as long as the process lives. Errors:
/// not_found (no such file), invalid_argument (no shared object, none of a framework, or made for another SDK; the
/// message names both versions).
result<const sdk::simulated_framework*> load_simulated_framework(const std::string& path);

}  // namespace troupe
