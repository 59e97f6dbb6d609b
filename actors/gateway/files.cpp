#include "actors/gateway/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

namespace troupe {

namespace {

/// One '/' at the beginning of each component and none at the end; an error for what climbs.
result<std::string> normal(const std::string& path) {
  if (path.empty()) return invalid("path: must be given");
  if (path.find('\0') != std::string::npos) return invalid("path: must not contain a zero byte");
  std::string out;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto name = path.substr(begin, end - begin);
    if (name == "..") return invalid("path: must not contain '..'");
    if (!name.empty() && name != ".") out += "/" + name;
    begin = end + 1;
  }
  return out.empty() ? "/" : out;
}

bool is_folder(const struct stat& info) {
  return S_ISDIR(info.st_mode);
}

file_entry entry_of(std::string path, const struct stat& info) {
  file_entry entry;
  entry.path = std::move(path);
  entry.links = info.st_nlink;
  entry.size_bytes = static_cast<std::uint64_t>(info.st_size);
  entry.modified_s = info.st_mtim.tv_sec;
  entry.mode = mode_text(info.st_mode);
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  return entry;
}

error io_error(const std::string& path) {
  return {errc::io, "cannot read " + path + ": " + std::generic_category().message(errno)};
}

struct close_folder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

void files::attach(const std::string& name, const std::string& real_path) {
  auto key = normal(name);
  if (!key) return;
  std::lock_guard<std::mutex> lock(mutex_);
  attached_[*key] = real_path;
}

void files::detach(const std::string& name) {
  auto key = normal(name);
  if (!key) return;
  std::lock_guard<std::mutex> lock(mutex_);
  attached_.erase(*key);
}

std::map<std::string, std::string> files::attached() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return attached_;
}

result<files::place> files::find(const std::string& path) const {
  auto whole = normal(path);
  if (!whole) return whole.error();
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto prefix = *whole;;) {
    const auto it = attached_.find(prefix);
    if (it != attached_.end()) return place{it->second, whole->substr(prefix.size())};
    const auto slash = prefix.rfind('/');
    if (slash == 0 || slash == std::string::npos) return error{errc::not_found, "no file or folder at " + path};
    prefix.resize(slash);
  }
}

result<file_descriptor> files::open_any(const std::string& path) const {
  auto at = find(path);
  if (!at) return at.error();
  auto fd = open_beneath(at->root, at->rest);
  if (!fd && fd.error().code == errc::not_found) return error{errc::not_found, "no file or folder at " + path};
  return fd;
}

result<std::vector<file_entry>> files::browse(const std::string& path) const {
  auto fd = open_any(path);
  if (!fd) return fd.error();
  struct stat info {};
  if (::fstat(fd->get(), &info) != 0) return io_error(path);
  std::vector<file_entry> entries;
  if (!is_folder(info)) return entries;
  std::unique_ptr<DIR, close_folder> folder(::fdopendir(fd->get()));
  if (!folder) return io_error(path);
  const int at = fd->release();
  const auto prefix = path.back() == '/' ? path : path + "/";
  while (const auto* next = ::readdir(folder.get())) {
    const std::string name = next->d_name;
    if (name == "." || name == "..") continue;
    // What has gone between the two calls is not there.
    if (::fstatat(at, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (entries.size() == entries_max)
      return error{errc::exhausted, path + " has more than " + std::to_string(entries_max) + " entries"};
    entries.push_back(entry_of(prefix + name, info));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return entries;
}

result<open_file> files::open(const std::string& path) const {
  auto fd = open_any(path);
  if (!fd) return fd.error();
  struct stat info {};
  if (::fstat(fd->get(), &info) != 0) return io_error(path);
  if (is_folder(info)) return invalid("path: " + path + " is a folder; only files can be read");
  open_file file;
  file.fd = std::move(*fd);
  const auto whole = normal(path);
  file.name = whole->substr(whole->rfind('/') + 1);
  file.size_bytes = static_cast<std::uint64_t>(info.st_size);
  return file;
}

result<file_piece> files::read(const std::string& path, std::optional<std::uint64_t> offset,
                               std::optional<std::uint64_t> length) const {
  auto file = open(path);
  if (!file) return file.error();
  if (!offset || *offset >= file->size_bytes) return file_piece{file->size_bytes, {}};
  const auto bytes = std::min({length.value_or(read_bytes_max), read_bytes_max, file->size_bytes - *offset});
  auto data = read_at(file->fd.get(), *offset, static_cast<std::size_t>(bytes));
  if (!data) return data.error();
  return file_piece{*offset, std::move(*data)};
}

result<std::string> read_at(int fd, std::uint64_t offset, std::size_t bytes) {
  std::string data(bytes, '\0');
  std::size_t done = 0;
  while (done < bytes) {
    const auto got = ::pread(fd, data.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error{errc::io, "cannot read: " + std::generic_category().message(errno)};
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  data.resize(done);
  return data;
}

std::string mode_text(std::uint32_t mode) {
  std::string text = "----------";
  const auto kind = mode & S_IFMT;
  if (kind == S_IFDIR) text[0] = 'd';
  if (kind == S_IFLNK) text[0] = 'l';
  if (kind == S_IFIFO) text[0] = 'p';
  if (kind == S_IFSOCK) text[0] = 's';
  if (kind == S_IFCHR) text[0] = 'c';
  if (kind == S_IFBLK) text[0] = 'b';
  for (std::size_t i = 0; i < 9; ++i) {
    if (mode & (0400u >> i)) text[1 + i] = "rwx"[i % 3];
  }
  const auto special = [&](std::uint32_t bit, std::size_t at, char with, char without) {
    if (mode & bit) text[at] = text[at] == 'x' ? with : without;
  };
  special(S_ISUID, 3, 's', 'S');
  special(S_ISGID, 6, 's', 'S');
  special(S_ISVTX, 9, 't', 'T');
  return text;
}

}  // namespace troupe
