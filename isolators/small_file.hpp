#pragma once

#include "protocol/error.hpp"

#include <string>
#include <string_view>

namespace troupe {

/// The content of a small file (of /proc, a cgroup, or our own runtime directory): at most its first 64 KiB.
/// errc::not_found if there is none, errc::io otherwise; the message names the path.
result<std::string> read_small_file(const std::string& path);

/// Writes `value` into a file that exists, in one call, as the files of cgroups want it.
result<void> write_existing_file(const std::string& path, std::string_view value);

/// Makes or replaces a file: whoever reads it sees all of the old content or all of the new. Not synced to a disk.
result<void> replace_file(const std::string& path, std::string_view content);

/// An error of the operating system about an object: `cannot DO OBJECT: ITS WORDS`.
error system_error(const std::string& doing, const std::string& object, int number);

}  // namespace troupe
