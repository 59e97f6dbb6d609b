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
  if (number == ENOENT) return leveldb::Status::NotFound(path, std::strerror(number));  // as LevelDB's own
  return leveldb::Status::IOError(path, std::strerror(number));
}

class read_file final : public leveldb::RandomAccessFile {
 public:
  read_file(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~read_file() override { ::close(descriptor_); }
  read_file(const read_file&) = delete;
  read_file& operator=(const read_file&) = delete;

  leveldb::Status Read(std::uint64_t offset, std::size_t wanted, leveldb::Slice* out, char* scratch) const override {
    std::size_t have = 0;
    while (have < wanted) {
      const auto size = ::pread(descriptor_, scratch + have, wanted - have, static_cast<off_t>(offset + have));
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return as_status(path_, errno);
      if (size == 0) break;
      have += static_cast<std::size_t>(size);
    }
    *out = leveldb::Slice(scratch, have);
    return leveldb::Status::OK();
  }

 private:
  const std::string path_;
  const int descriptor_;
};

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

/// A file whose name becomes durable with its first bytes.
class lasting_names::file final : public leveldb::WritableFile {
 public:
  file(lasting_names& owner, std::string folder, leveldb::WritableFile* below)
      : owner_(owner), folder_(std::move(folder)), below_(below) {}

  leveldb::Status Append(const leveldb::Slice& data) override {
    synced_ = false;
    return below_->Append(data);
  }
  leveldb::Status Flush() override { return below_->Flush(); }
  leveldb::Status Sync() override {
    auto status = owner_.failure();
    if (status.ok()) status = below_->Sync();
    if (status.ok() && !named_) status = owner_.disk_.SyncDir(folder_);
    if (status.ok()) named_ = synced_ = true;
    return status;
  }
  leveldb::Status Close() override {
    const auto status = synced_ ? leveldb::Status::OK() : Sync();
    const auto closed = below_->Close();
    return status.ok() ? closed : status;
  }

 private:
  lasting_names& owner_;
  std::string folder_;
  std::unique_ptr<leveldb::WritableFile> below_;
  bool named_ = false;
  bool synced_ = true;
};

leveldb::Status journal_disk::CreateDir(const std::string& folder) {
  constexpr mode_t for_this_user = 0700;
  return ::mkdir(folder.c_str(), for_this_user) == 0 ? leveldb::Status::OK() : as_status(folder, errno);
}

leveldb::Status journal_disk::NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** out) {
  const int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  *out = descriptor < 0 ? nullptr : new read_file(name, descriptor);
  return descriptor < 0 ? as_status(name, errno) : leveldb::Status::OK();
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
  *out = status.ok() ? new file(*this, folder_of(name), below) : nullptr;
  return status;
}

leveldb::Status lasting_names::NewAppendableFile(const std::string& name, leveldb::WritableFile** out) {
  leveldb::WritableFile* below = nullptr;
  const auto status = disk_.NewAppendableFile(name, &below);
  *out = status.ok() ? new file(*this, folder_of(name), below) : nullptr;
  return status;
}

leveldb::Status lasting_names::RenameFile(const std::string& from, const std::string& to) {
  if (auto failed = failure(); !failed.ok()) return failed;
  if (auto renamed = disk_.RenameFile(from, to); !renamed.ok()) return renamed;
  const auto source = folder_of(from);
  const auto target = folder_of(to);
  // The new name first: a file may have two names for a while, never none.
  auto synced = disk_.SyncDir(target);
  if (synced.ok() && source != target) synced = disk_.SyncDir(source);
  const std::lock_guard<std::mutex> lock(guard_);
  if (!synced.ok()) failure_ = synced;
  return leveldb::Status::OK();
}

leveldb::Status lasting_names::RemoveFile(const std::string& name) {
  const auto failed = failure();
  return failed.ok() ? disk_.RemoveFile(name) : failed;
}

leveldb::Status lasting_names::failure() {
  const std::lock_guard<std::mutex> lock(guard_);
  return failure_;
}

}  // namespace troupe
