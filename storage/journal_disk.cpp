#include "storage/journal_disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace troupe {

namespace {

leveldb::Status as_status(const std::string& path, int number) {
  return leveldb::Status::IOError(path, std::strerror(number));
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// A file whose name becomes durable with its first bytes.
class named_file final : public leveldb::WritableFile {
 public:
  named_file(journal_disk& disk, std::string folder, leveldb::WritableFile* below)
      : disk_(disk), folder_(std::move(folder)), below_(below) {}

  leveldb::Status Append(const leveldb::Slice& data) override {
    synced_ = false;
    return below_->Append(data);
  }
  leveldb::Status Flush() override { return below_->Flush(); }
  leveldb::Status Sync() override {
    auto status = below_->Sync();
    if (status.ok() && !named_) status = disk_.SyncDir(folder_);
    if (status.ok()) named_ = synced_ = true;
    return status;
  }
  leveldb::Status Close() override {
    const auto status = synced_ ? leveldb::Status::OK() : Sync();
    const auto closed = below_->Close();
    return status.ok() ? closed : status;
  }

 private:
  journal_disk& disk_;
  std::string folder_;
  std::unique_ptr<leveldb::WritableFile> below_;
  bool named_ = false;
  bool synced_ = true;
};

}  // namespace

leveldb::Status journal_disk::CreateDir(const std::string& folder) {
  constexpr mode_t for_this_user = 0700;
  return ::mkdir(folder.c_str(), for_this_user) == 0 ? leveldb::Status::OK() : as_status(folder, errno);
}

leveldb::Status journal_disk::SyncDir(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return as_status(folder, errno);
  const auto status = ::fsync(descriptor) == 0 ? leveldb::Status::OK() : as_status(folder, errno);
  ::close(descriptor);
  return status;
}

leveldb::Status lasting_names::NewWritableFile(const std::string& name, leveldb::WritableFile** out) {
  leveldb::WritableFile* below = nullptr;
  const auto status = disk_.NewWritableFile(name, &below);
  *out = status.ok() ? new named_file(disk_, folder_of(name), below) : nullptr;
  return status;
}

leveldb::Status lasting_names::NewAppendableFile(const std::string& name, leveldb::WritableFile** out) {
  leveldb::WritableFile* below = nullptr;
  const auto status = disk_.NewAppendableFile(name, &below);
  *out = status.ok() ? new named_file(disk_, folder_of(name), below) : nullptr;
  return status;
}

leveldb::Status lasting_names::RenameFile(const std::string& from, const std::string& to) {
  auto status = disk_.RenameFile(from, to);
  if (!status.ok()) return status;
  const auto source = folder_of(from);
  const auto target = folder_of(to);
  // The new name first: a file may have two names for a while, never none.
  status = disk_.SyncDir(target);
  if (status.ok() && source != target) status = disk_.SyncDir(source);
  return status;
}

}  // namespace troupe
