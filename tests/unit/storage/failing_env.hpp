#pragma once

#include "storage/journal_disk.hpp"

#include <cstring>
#include <memory>
#include <string>

namespace troupe::test {

/// The real file system, until told to fail: then each append or sync of a file answers with the words of that errno.
/// Without real syncs it is quick, and as good where no power is lost. One thread at a time.
class failing_env : public journal_disk {
 public:
  enum class fault { none, append, sync };

  explicit failing_env(bool real_syncs = true) : real_syncs_(real_syncs) {}

  void fail(fault what, int number) {
    fault_ = what;
    answer_ = leveldb::Status::IOError("test", std::strerror(number));
  }
  void heal() { fault_ = fault::none; }

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** out) override {
    leveldb::WritableFile* real = nullptr;
    const auto status = target()->NewWritableFile(name, &real);
    if (status.ok()) *out = new file(*this, real);
    return status;
  }

  leveldb::Status SyncDir(const std::string& folder) override {
    return real_syncs_ ? journal_disk::SyncDir(folder) : leveldb::Status::OK();
  }

 private:
  class file : public leveldb::WritableFile {
   public:
    file(failing_env& env, leveldb::WritableFile* real) : env_(env), real_(real) {}
    leveldb::Status Append(const leveldb::Slice& data) override {
      return env_.fault_ == fault::append ? env_.answer_ : real_->Append(data);
    }
    leveldb::Status Close() override { return real_->Close(); }
    leveldb::Status Flush() override { return real_->Flush(); }
    leveldb::Status Sync() override {
      if (env_.fault_ == fault::sync) return env_.answer_;
      return env_.real_syncs_ ? real_->Sync() : real_->Flush();
    }

   private:
    failing_env& env_;
    std::unique_ptr<leveldb::WritableFile> real_;
  };

  bool real_syncs_;
  fault fault_ = fault::none;
  leveldb::Status answer_;
};

}  // namespace troupe::test
