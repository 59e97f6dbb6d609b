#pragma once

#include "storage/coordination_line.hpp"
#include "storage/journal_store.hpp"
#include "storage/scan.hpp"
#include "troupe/internal/coordination.pb.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What a leader's commits are conditional on, as internal::StartedLeading says it.
struct leadership {
  std::string epoch_path;          ///< the znode that holds the epoch
  std::int32_t epoch_version = 0;  ///< as the leader wrote it; the next leader raises it
};

/// The registry of several masters: the leader's records, each in a znode of the coordination service.
///
///     <root>/records/<two hex digits of the key's checksum>/<key, escaped>
///
/// Each commit is one ChangeZnodes that checks the version of the epoch's znode first, so that the commit of a leader
/// that was deposed fails, whenever it arrives, and changes nothing. Each record that was read is written on its own
/// version too: one that somebody else wrote since is not overwritten.
///
/// Errors beside those of every store: conflict (deposed, or somebody else wrote the records: nothing was changed),
/// outcome_unknown (the answer was lost: the commit was done, or not), unavailable (the session is over). After these
/// it does nothing more, and has to be opened anew. A commit that is larger than one request to the service may be, 1
/// MiB with ZooKeeper, is refused, and changes nothing: exhausted.
class registry_store final : public journal_store {
 public:
  /// Makes its folders where there are none, and looks at all that is there. The line is the leader's: it sees all that
  /// was committed before the epoch was written, and outlives the store. The root is there already. Errors: conflict
  /// (deposed already), outcome_unknown, unavailable.
  static result<std::unique_ptr<registry_store>> open(coordination_line& line, const std::string& root,
                                                      const leadership& by);

  result<void> commit(const std::vector<edit_batch>& group) override;
  /// A quarter of what a request may hold: paths and the like come on top, and count most where records are small.
  std::size_t commit_bytes_max() const override { return std::size_t{256} << 10; }
  result<scan_result> scan(std::string_view prefix) override;

  /// Where the record of a key lies.
  static std::string path_of(std::string_view root, std::string_view key);

 private:
  /// Of each record's znode, by key; nothing until it has been read or written.
  using versions = std::map<std::string, std::optional<std::int32_t>, std::less<>>;

  registry_store(coordination_line& line, std::string root, leadership by);

  result<void> make_folders();
  result<void> look_around();
  internal::ChangeZnodes as_leader() const;
  bool add_change(internal::ChangeZnodes& request, const edit& wanted) const;
  result<void> read(versions::iterator record, scanning::sorter& sorted);
  static error failure();

  coordination_line& line_;
  std::string root_;
  leadership by_;
  versions versions_;
  bool failed_ = false;
};

}  // namespace troupe
