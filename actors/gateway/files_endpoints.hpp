#pragma once

#include "actors/gateway/files.hpp"
#include "actors/runtime/net/http_routes.hpp"
#include "actors/runtime/net/io_threads.hpp"

#include <memory>

namespace troupe {

/// `/files/browse`, `/files/read`, `/files/download` and `/files/debug`. The disk is read on the threads of `disk`;
/// only the pieces of a download that is under way are read on the server's. A download may be a part: `offset` and
/// `length`.
void serve_files(http_routes& routes, std::shared_ptr<files> served, std::shared_ptr<io_threads> disk);

}  // namespace troupe
