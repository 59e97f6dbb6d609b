#include "storage/journal_snapshot.hpp"

#include "storage/journal_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace troupe {

namespace {

namespace fs = std::filesystem;
using files_by_name = std::map<std::string, std::shared_ptr<snapshot_file>>;

bool has_ending(const std::string& name, std::string_view ending) {
  return name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}
bool is_table(const std::string& name) {
  return has_ending(name, ".ldb") || has_ending(name, ".sst");
}

/// Without a trace in its access time, where we may.
int open_to_read(const fs::path& path) {
  const int quietly = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOATIME);
  return quietly >= 0 || errno != EPERM ? quietly : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

error cannot_read(const fs::path& path, int number) {
  return {errc::io, "Cannot read " + path.string() + ": " + std::strerror(number) + "."};
}

/// Nothing where the file is gone.
result<std::shared_ptr<snapshot_file>> hold(const fs::path& path) {
  const int descriptor = open_to_read(path);
  if (descriptor < 0 && errno == ENOENT) return std::shared_ptr<snapshot_file>();
  struct stat found = {};
  if (descriptor < 0 || ::fstat(descriptor, &found) != 0) return cannot_read(path, errno);
  return std::make_shared<snapshot_file>(descriptor, static_cast<std::uint64_t>(found.st_size));
}

/// The bytes that are there now; nothing where the file is gone.
result<std::shared_ptr<snapshot_file>> copy(const fs::path& path) {
  const auto held = hold(path);
  if (!held || !*held) return held;
  std::string bytes;
  if (const auto status = (*held)->read(0, (*held)->size(), bytes); !status.ok())
    return error{errc::io, "Cannot read " + path.string() + ": " + status.ToString() + "."};
  return std::make_shared<snapshot_file>(std::move(bytes));
}

std::string text_of(const std::shared_ptr<snapshot_file>& file) {
  std::string out;
  if (file && !file->read(0, file->size(), out).ok()) out.clear();
  return out;
}

std::string named_by(const std::string& current) {
  const auto name = current.substr(0, current.find('\n'));
  return name.find('/') == std::string::npos ? name : "";
}

/// CURRENT and the MANIFEST that it names.
result<std::pair<std::string, std::string>> contents_tables(const fs::path& folder) {
  const auto current = copy(folder / "CURRENT");
  if (!current) return current.error();
  const auto text = text_of(*current);
  if (named_by(text).empty()) return std::pair<std::string, std::string>(text, "");
  const auto manifest = copy(folder / named_by(text));
  if (!manifest) return manifest.error();
  return std::pair<std::string, std::string>(text, text_of(*manifest));
}

result<std::vector<std::string>> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
    if (journal_folder::is_data_file(at->path().filename().string())) names.push_back(at->path().filename().string());
  if (failed) return cannot_read(folder, failed.value());
  // LevelDB's numbers have six digits or more; the logs must be read in their order.
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::make_pair(a.size(), a) < std::make_pair(b.size(), b);
  });
  return names;
}

/// One try: nothing where something changed under it.
result<std::optional<files_by_name>> try_to_take(const fs::path& folder) {
  const auto before = contents_tables(folder);
  if (!before) return before.error();
  const auto names = names_in(folder);
  if (!names) return names.error();
  files_by_name files;
  for (const auto& name : *names) {
    const auto file = is_table(name) ? hold(folder / name) : copy(folder / name);
    if (!file) return file.error();
    if (!*file) return std::optional<files_by_name>();
    files[name] = *file;
  }
  const auto after = contents_tables(folder);
  if (!after) return after.error();
  if (*before != *after) return std::optional<files_by_name>();
  return std::optional<files_by_name>(std::move(files));
}

class random_reader final : public leveldb::RandomAccessFile {
 public:
  explicit random_reader(std::shared_ptr<snapshot_file> file) : file_(std::move(file)) {}
  leveldb::Status Read(std::uint64_t offset, std::size_t n, leveldb::Slice* out, char* scratch) const override {
    std::string bytes;
    const auto status = file_->read(offset, n, bytes);
    std::copy(bytes.begin(), bytes.end(), scratch);
    *out = {scratch, bytes.size()};
    return status;
  }

 private:
  std::shared_ptr<snapshot_file> file_;
};

class sequential_reader final : public leveldb::SequentialFile {
 public:
  explicit sequential_reader(std::shared_ptr<snapshot_file> file) : file_(file), reader_(std::move(file)) {}
  leveldb::Status Read(std::size_t n, leveldb::Slice* out, char* scratch) override {
    const auto status = reader_.Read(at_, n, out, scratch);
    at_ += out->size();
    return status;
  }
  leveldb::Status Skip(std::uint64_t n) override {
    at_ = std::min(at_ + n, file_->size());
    return leveldb::Status::OK();
  }

 private:
  std::shared_ptr<snapshot_file> file_;
  random_reader reader_;
  std::uint64_t at_ = 0;
};

class memory_writer final : public leveldb::WritableFile {
 public:
  explicit memory_writer(std::shared_ptr<snapshot_file> file) : file_(std::move(file)) {}
  leveldb::Status Append(const leveldb::Slice& data) override {
    file_->append(data);
    return leveldb::Status::OK();
  }
  leveldb::Status Close() override { return leveldb::Status::OK(); }
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Sync() override { return leveldb::Status::OK(); }

 private:
  std::shared_ptr<snapshot_file> file_;
};

class no_logger final : public leveldb::Logger {
 public:
  void Logv(const char*, std::va_list) override {}
};

class no_lock final : public leveldb::FileLock {};

leveldb::Status is_not_there(const std::string& name) {
  return leveldb::Status::NotFound(name, std::strerror(ENOENT));
}

}  // namespace

snapshot_file::~snapshot_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

leveldb::Status snapshot_file::read(std::uint64_t offset, std::size_t n, std::string& out) const {
  out.clear();
  if (offset >= size()) return leveldb::Status::OK();
  n = static_cast<std::size_t>(std::min<std::uint64_t>(n, size() - offset));
  if (descriptor_ < 0) {
    out.assign(bytes_, offset, n);
    return leveldb::Status::OK();
  }
  out.resize(n);
  std::size_t done = 0;
  while (done < n) {
    const auto got = ::pread(descriptor_, out.data() + done, n - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return leveldb::Status::IOError("read", std::strerror(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  out.resize(done);
  return leveldb::Status::OK();
}

result<journal_snapshot> journal_snapshot::take(const std::filesystem::path& folder) {
  constexpr int tries_max = 100;  // each changed by a compaction, which takes longer than a try
  journal_snapshot out;
  out.folder = folder;
  for (int tries = 0; tries < tries_max; ++tries) {
    auto taken = try_to_take(folder);
    if (!taken) return taken.error();
    if (!*taken) continue;
    out.files = std::move(**taken);
    out.holder = journal_folder::holder(folder);
    return out;
  }
  return error{errc::unavailable, "The files of the journal in " + folder.string() + " changed at each of " +
                                      std::to_string(tries_max) + " tries to read them; try again."};
}

std::string journal_snapshot::manifest() const {
  const auto current = files.find("CURRENT");
  return current == files.end() ? "" : named_by(text_of(current->second));
}

snapshot_env::snapshot_env(const journal_snapshot& from)
    : leveldb::EnvWrapper(leveldb::Env::Default()), folder_(from.folder.string()) {
  for (const auto& [name, file] : from.files) files_[folder_ + "/" + name] = file;
}

std::shared_ptr<snapshot_file> snapshot_env::find(const std::string& name) {
  const std::lock_guard<std::mutex> lock(guard_);
  const auto at = files_.find(name);
  return at == files_.end() ? nullptr : at->second;
}

leveldb::Status snapshot_env::NewSequentialFile(const std::string& name, leveldb::SequentialFile** out) {
  auto file = find(name);
  *out = file ? new sequential_reader(file) : nullptr;
  return file ? leveldb::Status::OK() : is_not_there(name);
}

leveldb::Status snapshot_env::NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** out) {
  auto file = find(name);
  *out = file ? new random_reader(file) : nullptr;
  return file ? leveldb::Status::OK() : is_not_there(name);
}

leveldb::Status snapshot_env::NewWritableFile(const std::string& name, leveldb::WritableFile** out) {
  auto file = std::make_shared<snapshot_file>("");
  *out = new memory_writer(file);
  const std::lock_guard<std::mutex> lock(guard_);
  files_[name] = std::move(file);
  return leveldb::Status::OK();
}

leveldb::Status snapshot_env::NewAppendableFile(const std::string& name, leveldb::WritableFile** out) {
  *out = nullptr;
  return leveldb::Status::NotSupported("NewAppendableFile", name);
}

bool snapshot_env::FileExists(const std::string& name) {
  return find(name) != nullptr;
}

leveldb::Status snapshot_env::GetChildren(const std::string& folder, std::vector<std::string>* out) {
  out->clear();
  const std::lock_guard<std::mutex> lock(guard_);
  for (const auto& each : files_) {
    const auto& path = each.first;
    if (path.compare(0, folder.size() + 1, folder + "/") != 0) continue;
    if (path.find('/', folder.size() + 1) == std::string::npos) out->push_back(path.substr(folder.size() + 1));
  }
  return leveldb::Status::OK();
}

leveldb::Status snapshot_env::RemoveFile(const std::string& name) {
  const std::lock_guard<std::mutex> lock(guard_);
  return files_.erase(name) == 0 ? is_not_there(name) : leveldb::Status::OK();
}

leveldb::Status snapshot_env::GetFileSize(const std::string& name, std::uint64_t* size) {
  const auto file = find(name);
  *size = file ? file->size() : 0;
  return file ? leveldb::Status::OK() : is_not_there(name);
}

leveldb::Status snapshot_env::RenameFile(const std::string& from, const std::string& to) {
  const std::lock_guard<std::mutex> lock(guard_);
  const auto at = files_.find(from);
  if (at == files_.end()) return is_not_there(from);
  const auto file = at->second;
  files_.erase(at);
  files_[to] = file;
  return leveldb::Status::OK();
}

leveldb::Status snapshot_env::LockFile(const std::string&, leveldb::FileLock** lock) {
  *lock = new no_lock;
  return leveldb::Status::OK();
}

leveldb::Status snapshot_env::UnlockFile(leveldb::FileLock* lock) {
  delete lock;
  return leveldb::Status::OK();
}

leveldb::Status snapshot_env::NewLogger(const std::string&, leveldb::Logger** out) {
  *out = new no_logger;
  return leveldb::Status::OK();
}

}  // namespace troupe
