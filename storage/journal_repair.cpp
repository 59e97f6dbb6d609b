#include "storage/journal_repair.hpp"

#include <leveldb/db.h>
#include <leveldb/env.h>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe {

namespace {

/// Puts off what RepairDB moves to `lost`, and keeps the first failed write.
class putting_off final : public leveldb::EnvWrapper {
 public:
  putting_off(leveldb::Env* below, const std::string& folder)
      : leveldb::EnvWrapper(below), lost_(folder + "/lost/"), current_(folder + "/CURRENT") {}

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** out) override {
    leveldb::WritableFile* below = nullptr;
    const auto status = note(target()->NewWritableFile(name, &below));
    *out = status.ok() ? new file(*this, below) : nullptr;
    return status;
  }

  leveldb::Status RenameFile(const std::string& from, const std::string& to) override {
    if (to.compare(0, lost_.size(), lost_) == 0) {
      if (target()->FileExists(from)) put_off_.emplace_back(from, to);
      return leveldb::Status::OK();
    }
    if (to == current_ && !first_failure().ok()) return first_failure();
    // A file that takes the name of one that was put off: that one must go now.
    for (auto at = put_off_.begin(); at != put_off_.end(); ++at) {
      if (at->first != to) continue;
      const auto moved = note(target()->RenameFile(at->first, at->second));
      if (!moved.ok()) return moved;
      put_off_.erase(at);
      break;
    }
    const bool is_log = from.size() >= 4 && from.compare(from.size() - 4, 4, "/LOG") == 0;
    const auto status = target()->RenameFile(from, to);
    return is_log ? status : note(status);  // the text log may not be there
  }

  /// After a failure nothing goes: it may hold what a file that could not be written was to hold.
  leveldb::Status RemoveFile(const std::string& name) override {
    const auto failed = first_failure();
    return failed.ok() ? target()->RemoveFile(name) : failed;
  }

  leveldb::Status move_what_was_put_off() {
    for (const auto& [from, to] : std::exchange(put_off_, {})) {
      const auto moved = target()->RenameFile(from, to);
      if (!moved.ok()) return moved;
    }
    return leveldb::Status::OK();
  }

  leveldb::Status first_failure() {
    const std::lock_guard<std::mutex> lock(guard_);
    return failure_;
  }

 private:
  class file final : public leveldb::WritableFile {
   public:
    file(putting_off& owner, leveldb::WritableFile* below) : owner_(owner), below_(below) {}
    leveldb::Status Append(const leveldb::Slice& data) override { return owner_.note(below_->Append(data)); }
    leveldb::Status Close() override { return owner_.note(below_->Close()); }
    leveldb::Status Flush() override { return owner_.note(below_->Flush()); }
    leveldb::Status Sync() override { return owner_.note(below_->Sync()); }

   private:
    putting_off& owner_;
    std::unique_ptr<leveldb::WritableFile> below_;
  };

  leveldb::Status note(leveldb::Status status) {
    const std::lock_guard<std::mutex> lock(guard_);
    if (!status.ok() && failure_.ok()) failure_ = status;
    return status;
  }

  std::string lost_, current_;
  std::vector<std::pair<std::string, std::string>> put_off_;
  std::mutex guard_;
  leveldb::Status failure_;
};

/// So that the damage is known from the first step on, whatever becomes of the rest.
leveldb::Status write_reason(leveldb::Env& disk, const std::string& folder, const leveldb::Status& why) {
  disk.CreateDir(folder + "/lost");             // may be there from before
  const auto draft = folder + "/000000.dbtmp";  // LevelDB removes such
  leveldb::WritableFile* opened = nullptr;
  auto status = disk.NewWritableFile(draft, &opened);
  if (!status.ok()) return status;
  const std::unique_ptr<leveldb::WritableFile> file(opened);
  status = file->Append("These are the files that a damaged journal was rebuilt from: " + why.ToString() + "\n");
  if (status.ok()) status = file->Sync();
  if (status.ok()) status = file->Close();
  return status.ok() ? disk.RenameFile(draft, folder + "/lost/REASON") : status;
}

}  // namespace

leveldb::Status repair(const std::string& folder, const leveldb::Options& how, const leveldb::Status& why) {
  putting_off disk(how.env, folder);
  if (const auto written = write_reason(*how.env, folder, why); !written.ok()) return written;
  if (how.env->FileExists(folder + "/CURRENT")) {
    const auto moved = how.env->RenameFile(folder + "/CURRENT", folder + "/lost/CURRENT");
    if (!moved.ok()) return moved;
  }
  leveldb::Options through = how;
  through.env = &disk;
  auto status = leveldb::RepairDB(folder, through);
  if (status.ok()) status = disk.first_failure();
  // CURRENT is there again by now, and what it names is whole.
  if (status.ok()) status = disk.move_what_was_put_off();
  return status;
}

}  // namespace troupe
