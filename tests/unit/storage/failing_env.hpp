#pragma once

#include <leveldb/env.h>

#include <cstring>
#include <memory>
#include <string>

namespace troupe::test {

/// The real file system, until told to fail: then each append or sync of a file answers with the words of that errno.
/// One thread at a time.
class failing_env : public leveldb::EnvWrapper {
 public:
  enum class fault { none, append, sync };

  failing_env() : leveldb::EnvWrapper(leveldb::Env::Default()) {}

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

 private:
  class file : public leveldb::WritableFile {
   public:
    file(failing_env& env, leveldb::WritableFile* real) : env_(env), real_(real) {}
    leveldb::Status Append(const leveldb::Slice& data) override {
      return env_.fault_ == fault::append ? env_.answer_ : real_->Append(data);
    }
    leveldb::Status Close() override { return real_->Close(); }
    leveldb::Status Flush() override { return real_->Flush(); }
    leveldb::Status Sync() override { return env_.fault_ == fault::sync ? env_.answer_ : real_->Sync(); }

   private:
    failing_env& env_;
    std::unique_ptr<leveldb::WritableFile> real_;
  };

  fault fault_ = fault::none;
  leveldb::Status answer_;
};

}  // namespace troupe::test
