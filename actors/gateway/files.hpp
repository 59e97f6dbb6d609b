#pragma once

#include "actors/gateway/beneath.hpp"
#include "protocol/error.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// One line of a folder's listing.
struct file_entry {
  std::string path;  ///< as the client may ask for it again
  std::uint64_t links = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_s = 0;
  std::string mode;  ///< "-rw-r--r--"
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// A piece of a file.
struct file_piece {
  std::uint64_t offset = 0;
  std::string data;
};

/// A regular file that is open for reading.
struct open_file {
  file_descriptor fd;
  std::string name;  ///< last component of the path that was asked for
  std::uint64_t size_bytes = 0;
};

/// The files that people and programs may read over HTTP: folders and files of this machine under names of their own.
/// What they ask for is looked up by the longest name that it begins with; the rest of it never leads out of that
/// folder, links included.
///
/// Thread-safe; reading blocks on the disk. Errors: invalid_argument (400), not_found (404), exhausted, io.
class files {
 public:
  static constexpr std::uint64_t read_bytes_max = 16 * 4096;
  static constexpr std::size_t entries_max = 50000;

  /// `name` begins with '/', as "/agent/log" or a sandbox's own path. Replaces what had the name before.
  void attach(const std::string& name, const std::string& real_path);
  void detach(const std::string& name);
  /// Every name and what it stands for.
  std::map<std::string, std::string> attached() const;

  /// The entries of a folder by rising path; none for a file.
  result<std::vector<file_entry>> browse(const std::string& path) const;
  /// At most `length` bytes from `offset`, and never more than read_bytes_max. Without an offset: the file's size and
  /// no data.
  result<file_piece> read(const std::string& path, std::optional<std::uint64_t> offset,
                          std::optional<std::uint64_t> length) const;
  result<open_file> open(const std::string& path) const;

 private:
  struct place {
    std::string root, rest;
  };
  result<place> find(const std::string& path) const;
  result<file_descriptor> open_any(const std::string& path) const;

  mutable std::mutex mutex_;
  std::map<std::string, std::string> attached_;
};

/// Up to `bytes` of an open file; fewer at its end only.
result<std::string> read_at(int fd, std::uint64_t offset, std::size_t bytes);

/// "drwxr-xr-x"
std::string mode_text(std::uint32_t mode);

}  // namespace troupe
