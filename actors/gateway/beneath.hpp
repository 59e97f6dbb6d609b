#pragma once

#include "actors/runtime/file_descriptor.hpp"
#include "protocol/error.hpp"

#include <string>

namespace troupe {

/// Opens a regular file or a folder below `root` for reading, wherever the links on the way point as long as that is
/// below `root`: what openat2 does with RESOLVE_BENEATH, on every kernel. Whoever owns what is below `root` may rename
/// and replace things meanwhile; the worst that comes of it is an error. `root` itself is trusted. Pipes, sockets and
/// devices are not opened.
///
/// Errors: not_found (also for what leads out, may not be read, or is neither file nor folder), io.
result<file_descriptor> open_beneath(const std::string& root, const std::string& relative);

}  // namespace troupe
