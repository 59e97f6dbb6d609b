#pragma once

#include "storage/journal_disk.hpp"

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::test {

/// One thing that is done to a disk and may not be there after a power cut.
struct disk_step {
  enum class kind { make_file, append, flush, sync, sync_folder, rename, remove, make_folder };
  kind is;
  std::string path;       ///< below the disk's root; `.` is the root
  std::string to;         ///< of a rename
  std::size_t bytes = 0;  ///< of an append

  friend bool operator==(const disk_step& a, const disk_step& b) {
    return a.is == b.is && a.path == b.path && a.to == b.to && a.bytes == b.bytes;
  }
};
/// `append 000003.log 120`.
std::string to_string(const disk_step& step);

/// What happens at a step.
enum class disk_fault {
  cut_before,         ///< power is cut before it; neither bytes nor names that were not synced are there afterwards
  cut_names_kept,     ///< the same, but all names are there: the file system wrote names before bytes
  cut_torn_one_byte,  ///< an append reaches the disk in part, with all names and what the file got before
  cut_torn_half,      ///< …
  cut_torn_all_but_one,
  cut_after,    ///< power is cut right after it
  write_error,  ///< it answers EIO and is not done
  sync_error,   ///< a sync answers EIO, and what it should have made durable never will be, though it can be read
  full,         ///< it, and each later step that needs space, answers ENOSPC; half of an append is written
};
const std::vector<disk_fault>& all_disk_faults();
const char* to_string(disk_fault fault);
bool is_power_cut(disk_fault fault);

/// Whether this can happen at that step: only an append can be torn, …
bool applies(disk_fault fault, const disk_step& step);

/// A folder of the real file system that counts what is done to it, lets one step go wrong, and can put itself into the
/// state in which a power cut would have left it. Pessimistic: what was not synced is not there, neither bytes nor
/// names.
///
/// LevelDB's background work is done one piece at a time, and an append to a log waits until there is none: so the same
/// run takes the same steps in the same order. LevelDB's text log (LOG) and LOCK are not looked at.
class faulty_disk final : public journal_disk {
 public:
  /// What is in `root` now is taken to be durable. With `real_syncs` it also does what it counts; without them a run
  /// is quick, and a power cut as good.
  explicit faulty_disk(std::filesystem::path root, bool real_syncs = false);

  /// From the next step on; `step` counts from the construction.
  void inject(std::size_t step, disk_fault fault);

  std::vector<disk_step> steps() const;
  /// Power was cut: everything fails from then on.
  bool is_cut() const;

  /// Makes the folder what a power cut now, or the one that was injected, leaves. Nobody has files open. It is a disk
  /// as new afterwards: no fault, no steps.
  void restore_after_power_cut();

  /// Until LevelDB has no background work.
  void wait_until_idle();

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** out) override;
  leveldb::Status NewAppendableFile(const std::string& name, leveldb::WritableFile** out) override;
  leveldb::Status RemoveFile(const std::string& name) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status CreateDir(const std::string& folder) override;
  leveldb::Status SyncDir(const std::string& folder) override;
  void Schedule(void (*work)(void*), void* argument) override;
  void SleepForMicroseconds(int) override {}

 private:
  class file;
  struct inode {
    std::string bytes;
    std::size_t durable = 0;               ///< so many of them
    std::optional<std::size_t> lost_from;  ///< a sync failed: nothing from here on becomes durable
  };
  struct tree {
    std::map<std::string, std::shared_ptr<inode>> files;
    std::set<std::string> folders;
  };

  std::string relative(const std::string& path) const;
  leveldb::Status take(const disk_step& step, const std::function<leveldb::Status()>& act,
                       const std::function<void(std::size_t)>& act_in_part = {});
  leveldb::Status go_wrong(const disk_step& step, const std::function<leveldb::Status()>& act,
                           const std::function<void(std::size_t)>& act_in_part);
  void cut(bool names_kept);
  void adopt_names(const std::string& folder);
  tree durable_now(bool names_kept) const;
  void read_root();

  std::filesystem::path root_;
  bool real_syncs_;
  mutable std::recursive_mutex guard_;
  std::vector<disk_step> steps_;
  std::optional<std::size_t> fault_at_;
  disk_fault fault_ = disk_fault::cut_before;
  bool full_ = false;
  tree live_, durable_;       ///< as programs see it; as it is sure to be found again
  std::optional<tree> left_;  ///< what the power cut left

  std::mutex work_guard_;
  std::condition_variable work_done_;
  int work_pending_ = 0;
};

}  // namespace troupe::test
