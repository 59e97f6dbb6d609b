#pragma once

#include "storage/journal_store.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe {

class journal_disk;

/// The journal of a process: one LevelDB in a folder of its own. Every commit is one synced write, and brings the head
/// record up to date (storage/heads.hpp); an open that finds fewer records than it counts, or others, notes that.
class journal final : public journal_store {
 public:
  struct options {
    std::size_t write_buffer_bytes = std::size_t{4} << 20;  ///< LevelDB holds up to two of these in memory
    std::size_t block_cache_bytes = std::size_t{1} << 20;   ///< small: records are read once, at recovery
    journal_disk* disk = nullptr;  ///< the file system, outliving the journal; null means the real one
  };

  /// Opens the journal in `folder`, creating both where there are none. A store with damaged blocks is opened with what
  /// can be salvaged; scans report that, and the damaged files are kept in `folder`/lost. Errors: unavailable (another
  /// process has it open: named with its pid), invalid_argument (not a directory; written by a newer release, which
  /// changes no record of it), exhausted (disk full), corrupt (nothing can be salvaged: says what to do), io.
  static result<std::unique_ptr<journal>> open(const std::filesystem::path& folder, const options& o);
  static result<std::unique_ptr<journal>> open(const std::filesystem::path& folder) { return open(folder, options{}); }

  ~journal() override;
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  result<void> commit(const std::vector<edit_batch>& group) override;
  result<scan_result> scan(std::string_view prefix) override;

 private:
  struct parts;
  explicit journal(std::unique_ptr<parts> p);

  std::unique_ptr<parts> parts_;
};

}  // namespace troupe
