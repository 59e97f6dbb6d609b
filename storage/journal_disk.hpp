#pragma once

#include <leveldb/env.h>

#include <string>

namespace troupe {

/// The file system as the journal needs it: LevelDB's, with folders for this user alone, and with names that can be
/// made durable. Errors are LevelDB's, with the words of the operating system.
class journal_disk : public leveldb::EnvWrapper {
 public:
  explicit journal_disk(leveldb::Env* below = leveldb::Env::Default()) : leveldb::EnvWrapper(below) {}

  /// With the mode 0700. An error where it exists.
  leveldb::Status CreateDir(const std::string& folder) override;

  /// Makes durable what a folder names: files made, renamed or removed there before. Not their bytes.
  virtual leveldb::Status SyncDir(const std::string& folder);
};

/// LevelDB syncs the bytes of its files, but the folder only when it writes its MANIFEST: after a power cut the newest
/// log could be gone, synced records and all, since nothing names it. Through this, a file that was synced keeps its
/// name, one that is closed has all of its bytes, and a rename has happened when it returns.
class lasting_names final : public leveldb::EnvWrapper {
 public:
  /// `disk` outlives it.
  explicit lasting_names(journal_disk& disk) : leveldb::EnvWrapper(&disk), disk_(disk) {}

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** out) override;
  leveldb::Status NewAppendableFile(const std::string& name, leveldb::WritableFile** out) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;

 private:
  journal_disk& disk_;
};

}  // namespace troupe
