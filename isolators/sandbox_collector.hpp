#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

struct collection_options {
  std::string agents_folder;      ///< WORK_DIR/agents; below it ID/frameworks/ID/executors/ID/runs/CONTAINER
  std::string runtime_directory;  ///< the containerizer's: whose files are there, without an end or status, is in use
  std::chrono::nanoseconds keep = std::chrono::hours(24 * 7);
  unsigned headroom_permille = 100;                                             ///< of the disk, that should be free
  std::chrono::nanoseconds interval = std::chrono::minutes(1);                  ///< between two rounds
  static constexpr std::chrono::nanoseconds age_min = std::chrono::seconds(1);  ///< what is younger is being made
};

/// How long a sandbox is kept after it was last modified, on a disk of which so much is used: the fuller, the shorter,
/// and not at all once the headroom is gone.
std::chrono::nanoseconds kept_for(const collection_options& options, unsigned disk_used_permille);

/// Absent when nobody knows.
std::optional<unsigned> disk_used_permille(const std::string& folder);

/// Removes the sandboxes of containers that are gone, by age, and the folders that this leaves empty. Also those of
/// former agent ids, and what a killed agent could not see to. Blocks on the disk; not thread-safe.
class sandbox_collector {
 public:
  using time_point = std::chrono::system_clock::time_point;

  explicit sandbox_collector(collection_options options) : options_(std::move(options)) {}

  /// One round. Age counts from the end of a container when a round has seen it in use. Returns what was removed.
  std::vector<std::string> collect(time_point now, unsigned disk_used_permille);

 private:
  struct round {
    time_point at;
    std::chrono::nanoseconds keep;
    std::vector<std::string> removed;
  };

  void collect_in(const std::string& folder, std::size_t level, round& now);
  bool in_use(const std::string& container) const;
  bool is_due(const std::string& sandbox, time_point now, std::chrono::nanoseconds keep);
  void remove_if_deserted(const std::string& folder, time_point now) const;

  const collection_options options_;
  std::set<std::string> used_;  ///< sandboxes that the last round saw in use
};

}  // namespace troupe
