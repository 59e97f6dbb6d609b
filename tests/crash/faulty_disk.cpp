#include "tests/crash/faulty_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace troupe::test {

namespace {

namespace fs = std::filesystem;
using kind = disk_step::kind;

const char* name_of(kind is) {
  switch (is) {
    case kind::make_file:
      return "make_file";
    case kind::append:
      return "append";
    case kind::flush:
      return "flush";
    case kind::sync:
      return "sync";
    case kind::sync_folder:
      return "sync_folder";
    case kind::rename:
      return "rename";
    case kind::remove:
      return "remove";
    case kind::make_folder:
      return "make_folder";
  }
  return "?";
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string last_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool has_ending(const std::string& name, std::string_view ending) {
  return name.size() >= ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

/// LevelDB's text log and its lock: nothing is remembered there.
bool is_ignored(const std::string& path) {
  const auto name = last_of(path);
  return name == "LOG" || name == "LOG.old" || name == "LOCK";
}

leveldb::Status failed(const std::string& path, int number) {
  return leveldb::Status::IOError(path, std::strerror(number));
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_sync(kind is) {
  return is == kind::sync || is == kind::sync_folder;
}

bool needs_space(kind is) {
  return is == kind::append || is == kind::make_file || is == kind::make_folder;
}

}  // namespace

std::string to_string(const disk_step& step) {
  std::string out = std::string(name_of(step.is)) + ' ' + step.path;
  if (step.is == kind::rename) out += ' ' + step.to;
  if (step.is == kind::append) out += ' ' + std::to_string(step.bytes);
  return out;
}

const std::vector<disk_fault>& all_disk_faults() {
  static const std::vector<disk_fault> all = {
      disk_fault::cut_before,    disk_fault::cut_names_kept,       disk_fault::cut_torn_one_byte,
      disk_fault::cut_torn_half, disk_fault::cut_torn_all_but_one, disk_fault::cut_after,
      disk_fault::write_error,   disk_fault::sync_error,           disk_fault::full};
  return all;
}

const char* to_string(disk_fault fault) {
  switch (fault) {
    case disk_fault::cut_before:
      return "cut_before";
    case disk_fault::cut_names_kept:
      return "cut_names_kept";
    case disk_fault::cut_torn_one_byte:
      return "cut_torn_one_byte";
    case disk_fault::cut_torn_half:
      return "cut_torn_half";
    case disk_fault::cut_torn_all_but_one:
      return "cut_torn_all_but_one";
    case disk_fault::cut_after:
      return "cut_after";
    case disk_fault::write_error:
      return "write_error";
    case disk_fault::sync_error:
      return "sync_error";
    case disk_fault::full:
      return "full";
  }
  return "?";
}

bool is_power_cut(disk_fault fault) {
  return fault != disk_fault::write_error && fault != disk_fault::sync_error && fault != disk_fault::full;
}

bool applies(disk_fault fault, const disk_step& step) {
  switch (fault) {
    case disk_fault::cut_before:
    case disk_fault::cut_names_kept:
    case disk_fault::cut_after:
      return true;
    case disk_fault::cut_torn_one_byte:
      return step.is == kind::append;
    case disk_fault::cut_torn_half:
    case disk_fault::cut_torn_all_but_one:
      return step.is == kind::append && step.bytes > 1;
    case disk_fault::write_error:
      return !is_sync(step.is);
    case disk_fault::sync_error:
      return is_sync(step.is);
    case disk_fault::full:
      return needs_space(step.is);
  }
  return false;
}

/// Appends go to the real file at once, so that whoever reads by another way sees them.
class faulty_disk::file final : public leveldb::WritableFile {
 public:
  file(faulty_disk& disk, std::string path, std::shared_ptr<inode> node, leveldb::WritableFile* real)
      : disk_(disk), path_(std::move(path)), node_(std::move(node)), real_(real) {}

  leveldb::Status Append(const leveldb::Slice& data) override {
    // A committing thread holds no lock of LevelDB's here: background work can end.
    if (has_ending(path_, ".log")) disk_.wait_until_idle();
    return disk_.take(
        {kind::append, path_, "", data.size()}, [&] { return write(data); },
        [&](std::size_t bytes) {
          write({data.data(), bytes});
        });
  }
  leveldb::Status Flush() override {
    return disk_.take({kind::flush, path_, "", 0}, [&] { return real_->Flush(); });
  }
  leveldb::Status Sync() override {
    // As LevelDB's own file does, for the same reason.
    if (last_of(path_).compare(0, 8, "MANIFEST") == 0) {
      const auto named = disk_.take({kind::sync_folder, folder_of(path_), "", 0}, [&] {
        disk_.adopt_names(folder_of(path_));
        return leveldb::Status::OK();  // the real one comes with the real sync
      });
      if (!named.ok()) return named;
    }
    return disk_.take({kind::sync, path_, "", 0}, [&] {
      node_->durable = std::min(node_->bytes.size(), node_->lost_from.value_or(node_->bytes.size()));
      return disk_.real_syncs_ ? real_->Sync() : real_->Flush();
    });
  }
  leveldb::Status Close() override { return real_->Close(); }

  inode& node() { return *node_; }

 private:
  leveldb::Status write(const leveldb::Slice& data) {
    node_->bytes.append(data.data(), data.size());
    const auto status = real_->Append(data);
    return status.ok() && !disk_.real_syncs_ ? real_->Flush() : status;
  }

  faulty_disk& disk_;
  std::string path_;
  std::shared_ptr<inode> node_;
  std::unique_ptr<leveldb::WritableFile> real_;
};

faulty_disk::faulty_disk(fs::path root, bool real_syncs) : root_(std::move(root)), real_syncs_(real_syncs) {
  read_root();
}

void faulty_disk::read_root() {
  live_ = {};
  for (const auto& each : fs::recursive_directory_iterator(root_)) {
    const auto path = relative(each.path().string());
    if (each.is_directory()) {
      live_.folders.insert(path);
    } else if (!is_ignored(path)) {
      auto node = std::make_shared<inode>();
      node->bytes = read_file(each.path());
      node->durable = node->bytes.size();
      live_.files[path] = std::move(node);
    }
  }
  durable_ = live_;
}

void faulty_disk::inject(std::size_t step, disk_fault fault) {
  const std::lock_guard<std::recursive_mutex> lock(guard_);
  fault_at_ = step;
  fault_ = fault;
}

std::vector<disk_step> faulty_disk::steps() const {
  const std::lock_guard<std::recursive_mutex> lock(guard_);
  return steps_;
}

bool faulty_disk::is_cut() const {
  const std::lock_guard<std::recursive_mutex> lock(guard_);
  return left_.has_value();
}

std::string faulty_disk::relative(const std::string& path) const {
  if (path == root_) return ".";
  const auto root = root_.string() + "/";
  if (path.compare(0, root.size(), root) != 0) throw std::logic_error(path + " is not on the disk at " + root);
  return path.substr(root.size());
}

leveldb::Status faulty_disk::take(const disk_step& step, const std::function<leveldb::Status()>& act,
                                  const std::function<void(std::size_t)>& act_in_part) {
  const std::lock_guard<std::recursive_mutex> lock(guard_);
  if (left_) return failed("the power is cut", EIO);
  if (full_ && needs_space(step.is)) return failed(step.path, ENOSPC);
  const bool now = fault_at_ == steps_.size();
  steps_.push_back(step);
  return now ? go_wrong(step, act, act_in_part) : act();
}

leveldb::Status faulty_disk::go_wrong(const disk_step& step, const std::function<leveldb::Status()>& act,
                                      const std::function<void(std::size_t)>& act_in_part) {
  if (!applies(fault_, step)) throw std::logic_error(std::string(to_string(fault_)) + " at " + to_string(step));
  switch (fault_) {
    case disk_fault::cut_before:
      cut(false);
      break;
    case disk_fault::cut_names_kept:
      cut(true);
      break;
    case disk_fault::cut_torn_one_byte:
    case disk_fault::cut_torn_half:
    case disk_fault::cut_torn_all_but_one: {
      act_in_part(fault_ == disk_fault::cut_torn_one_byte ? 1
                  : fault_ == disk_fault::cut_torn_half   ? step.bytes / 2
                                                          : step.bytes - 1);
      auto& node = *live_.files.at(step.path);
      node.durable = node.bytes.size();
      cut(true);
      break;
    }
    case disk_fault::cut_after:
      if (const auto done = act(); !done.ok()) return done;
      cut(false);
      break;
    case disk_fault::write_error:
      return failed(step.path, EIO);
    case disk_fault::sync_error:
      if (const auto at = live_.files.find(step.path); at != live_.files.end())
        at->second->lost_from = std::min(at->second->durable, at->second->lost_from.value_or(at->second->durable));
      return failed(step.path, EIO);
    case disk_fault::full:
      full_ = true;
      if (step.is == kind::append) act_in_part(step.bytes / 2);
      return failed(step.path, ENOSPC);
  }
  return failed("the power is cut", EIO);
}

void faulty_disk::cut(bool names_kept) {
  left_ = durable_now(names_kept);
}

/// A copy: what is done later changes nothing of it.
faulty_disk::tree faulty_disk::durable_now(bool names_kept) const {
  const auto& names = names_kept ? live_ : durable_;
  tree out;
  out.folders = names.folders;
  for (const auto& [path, node] : names.files) {
    if (folder_of(path) != "." && names.folders.count(folder_of(path)) == 0) continue;
    auto copied = std::make_shared<inode>();
    copied->bytes = node->bytes.substr(0, node->durable);
    out.files[path] = std::move(copied);
  }
  return out;
}

void faulty_disk::restore_after_power_cut() {
  const std::lock_guard<std::recursive_mutex> lock(guard_);
  const auto left = left_ ? *left_ : durable_now(false);
  for (const auto& each : fs::directory_iterator(root_)) fs::remove_all(each.path());
  for (const auto& folder : left.folders) fs::create_directories(root_ / folder);
  for (const auto& [path, node] : left.files) {
    std::ofstream out(root_ / path, std::ios::binary | std::ios::trunc);
    out.write(node->bytes.data(), static_cast<std::streamsize>(node->bytes.size()));
    if (!out.flush()) throw std::runtime_error("cannot write " + (root_ / path).string());
  }
  left_.reset();
  fault_at_.reset();
  full_ = false;
  steps_.clear();
  read_root();
}

/// What `folder` names now, it will name.
void faulty_disk::adopt_names(const std::string& folder) {
  const auto is_in = [&](const std::string& path) { return folder_of(path) == folder; };
  for (auto at = durable_.files.begin(); at != durable_.files.end();)
    at = is_in(at->first) ? durable_.files.erase(at) : std::next(at);
  for (const auto& each : live_.files)
    if (is_in(each.first)) durable_.files.insert(each);
  for (const auto& each : live_.folders)
    if (is_in(each)) durable_.folders.insert(each);
}

leveldb::Status faulty_disk::NewWritableFile(const std::string& name, leveldb::WritableFile** out) {
  const auto path = relative(name);
  *out = nullptr;
  std::unique_ptr<leveldb::WritableFile> made;
  const auto taken = take({kind::make_file, path, "", 0}, [&] {
    leveldb::WritableFile* real = nullptr;
    const auto status = journal_disk::NewWritableFile(name, &real);
    if (!status.ok()) return status;
    auto& node = live_.files[path];
    // One that exists is truncated: the same file, and a sync of its bytes is all that it takes.
    if (!node) node = std::make_shared<inode>();
    node->bytes.clear();
    node->durable = 0;
    made = std::make_unique<file>(*this, path, node, real);
    return status;
  });
  // After a cut that comes behind the step the file is there, but nobody gets it.
  if (taken.ok()) *out = made.release();
  return taken;
}

leveldb::Status faulty_disk::NewAppendableFile(const std::string& name, leveldb::WritableFile** out) {
  *out = nullptr;
  return leveldb::Status::NotSupported("NewAppendableFile", name);
}

leveldb::Status faulty_disk::RemoveFile(const std::string& name) {
  const auto path = relative(name);
  if (is_ignored(path)) return journal_disk::RemoveFile(name);
  return take({kind::remove, path, "", 0}, [&] {
    const auto status = journal_disk::RemoveFile(name);
    if (status.ok()) live_.files.erase(path);
    return status;
  });
}

leveldb::Status faulty_disk::RenameFile(const std::string& from, const std::string& to) {
  const auto source = relative(from);
  const auto target = relative(to);
  if (is_ignored(source)) return journal_disk::RenameFile(from, to);
  return take({kind::rename, source, target, 0}, [&] {
    const auto status = journal_disk::RenameFile(from, to);
    if (!status.ok()) return status;
    auto node = live_.files.extract(source);
    live_.files[target] = std::move(node.mapped());
    return status;
  });
}

leveldb::Status faulty_disk::CreateDir(const std::string& folder) {
  const auto path = relative(folder);
  if (fs::exists(folder)) return failed(path, EEXIST);
  return take({kind::make_folder, path, "", 0}, [&] {
    const auto status = journal_disk::CreateDir(folder);
    if (status.ok()) live_.folders.insert(path);
    return status;
  });
}

leveldb::Status faulty_disk::SyncDir(const std::string& folder) {
  return take({kind::sync_folder, relative(folder), "", 0}, [&] {
    adopt_names(relative(folder));
    return real_syncs_ ? journal_disk::SyncDir(folder) : leveldb::Status::OK();
  });
}

void faulty_disk::Schedule(void (*work)(void*), void* argument) {
  struct piece {
    faulty_disk* disk;
    void (*work)(void*);
    void* argument;
  };
  {
    const std::lock_guard<std::mutex> lock(work_guard_);
    ++work_pending_;
  }
  const auto run = [](void* given) {
    const std::unique_ptr<piece> mine(static_cast<piece*>(given));
    mine->work(mine->argument);
    const std::lock_guard<std::mutex> lock(mine->disk->work_guard_);
    if (--mine->disk->work_pending_ == 0) mine->disk->work_done_.notify_all();
  };
  journal_disk::Schedule(run, new piece{this, work, argument});
}

void faulty_disk::wait_until_idle() {
  std::unique_lock<std::mutex> lock(work_guard_);
  work_done_.wait(lock, [this] { return work_pending_ == 0; });
}

}  // namespace troupe::test
