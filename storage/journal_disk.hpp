#pragma once

#include <leveldb/env.h>

#include <mutex>
#include <string>

namespace troupe {

/// The file system as the journal needs it: LevelDB's, with folders for this user alone, and with names that can be
/// made durable. Errors are LevelDB's, with the words of the operating system.
class journal_disk : public leveldb::EnvWrapper {
 public:
  explicit journal_disk(leveldb::Env* below = leveldb::Env::Default()) : leveldb::EnvWrapper(below) {}

  /// With the mode 0700. An error where it exists.
  leveldb::Status CreateDir(const std::string& folder) override;

  /// To be read, not mapped: a page that the disk cannot deliver is an error then, and does not end the process.
  leveldb::Status NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** out) override;

  /// Makes durable what a folder names: files made, renamed or removed there before. Not their bytes.
  virtual leveldb::Status SyncDir(const std::string& folder);
};

/// LevelDB syncs the bytes of its files, but the folder only when it writes its MANIFEST: after a power cut the newest
/// log could be gone, synced records and all, since nothing names it. Through this, a file that was synced keeps its
/// name, one that is closed has all of its bytes, and a rename has happened for good when it returns.
///
/// When the folder cannot be synced after a rename, the rename is not taken back, and so is no error: LevelDB would
/// take it for undone, and remove what now has the name. Instead all later syncs and removals fail.
class lasting_names final : public leveldb::EnvWrapper {
 public:
  /// `disk` outlives it.
  explicit lasting_names(journal_disk& disk) : leveldb::EnvWrapper(&disk), disk_(disk) {}

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** out) override;
  leveldb::Status NewAppendableFile(const std::string& name, leveldb::WritableFile** out) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status RemoveFile(const std::string& name) override;

 private:
  class file;

  leveldb::Status failure();

  journal_disk& disk_;
  std::mutex guard_;
  leveldb::Status failure_;  ///< of the first sync after a rename that failed
};

}  // namespace troupe
