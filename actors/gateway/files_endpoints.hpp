#pragma once

#include "actors/gateway/disk_desk.hpp"
#include "actors/gateway/files.hpp"
#include "actors/runtime/net/http_routes.hpp"

#include <memory>

namespace troupe {

/// `/files/browse`, `/files/read`, `/files/download` and `/files/debug`. The disk is read on the threads of `desk`, and
/// for no more requests at once than it has places; past that, 503. A download may be a part: `offset` and `length`.
void serve_files(http_routes& routes, const std::shared_ptr<files>& served, const std::shared_ptr<disk_desk>& desk);

}  // namespace troupe
