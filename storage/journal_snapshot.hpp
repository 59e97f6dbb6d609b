#pragma once

#include "protocol/error.hpp"

#include <leveldb/env.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {

/// One file of a snapshot: bytes in memory, or a file of the disk held open, which can be read even when it is removed.
class snapshot_file {
 public:
  explicit snapshot_file(std::string bytes) : bytes_(std::move(bytes)) {}
  snapshot_file(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  ~snapshot_file();
  snapshot_file(const snapshot_file&) = delete;
  snapshot_file& operator=(const snapshot_file&) = delete;

  std::uint64_t size() const { return descriptor_ < 0 ? bytes_.size() : size_; }
  /// Up to `n` bytes; fewer at the end.
  leveldb::Status read(std::uint64_t offset, std::size_t n, std::string& out) const;
  void append(const leveldb::Slice& data) { bytes_.append(data.data(), data.size()); }

 private:
  std::string bytes_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// The files of a journal's folder at one moment, read while its daemon may be writing them, and never touched.
///
/// What is in it: the state after one commit, none older than the last that was answered before the snapshot began;
/// of a commit that was under way, all or nothing. LevelDB adds to its logs and to its MANIFEST, never changes what it
/// wrote, and removes a file only after the MANIFEST says so. So: list the folder and read CURRENT and the MANIFEST;
/// read the logs in order, hold the tables open; read CURRENT and the MANIFEST again. If they have not changed, all
/// files that they name were there all the time. If they have, begin again.
struct journal_snapshot {
  std::filesystem::path folder;
  std::map<std::string, std::shared_ptr<snapshot_file>> files;  ///< by name: CURRENT, MANIFEST-…, logs, tables
  std::string holder;  ///< the process that has the journal open, for a person; empty if none has

  /// Errors: not_found (no such folder), invalid_argument (no journal in it), unavailable (files changed at each try),
  /// io (may not be read, …).
  static result<journal_snapshot> take(const std::filesystem::path& folder);

  /// Where CURRENT points; empty if there is none or it says nothing.
  std::string manifest() const;
};

/// A file system over a snapshot: reads see its files, and whatever is written, renamed or removed stays in memory.
class snapshot_env final : public leveldb::EnvWrapper {
 public:
  explicit snapshot_env(const journal_snapshot& from);

  /// What LevelDB is to open.
  const std::string& folder() const { return folder_; }

  leveldb::Status NewSequentialFile(const std::string& name, leveldb::SequentialFile** out) override;
  leveldb::Status NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** out) override;
  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** out) override;
  leveldb::Status NewAppendableFile(const std::string& name, leveldb::WritableFile** out) override;
  bool FileExists(const std::string& name) override;
  leveldb::Status GetChildren(const std::string& folder, std::vector<std::string>* out) override;
  leveldb::Status RemoveFile(const std::string& name) override;
  leveldb::Status CreateDir(const std::string&) override { return leveldb::Status::OK(); }
  leveldb::Status RemoveDir(const std::string&) override { return leveldb::Status::OK(); }
  leveldb::Status GetFileSize(const std::string& name, std::uint64_t* size) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status LockFile(const std::string& name, leveldb::FileLock** lock) override;
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override;
  leveldb::Status NewLogger(const std::string& name, leveldb::Logger** out) override;

 private:
  std::shared_ptr<snapshot_file> find(const std::string& name);

  std::string folder_;
  std::mutex guard_;
  std::map<std::string, std::shared_ptr<snapshot_file>> files_;  // by path
};

}  // namespace troupe
