#include "storage/journal_folder.hpp"

#include "storage/journal_repair.hpp"
#include "storage/records.hpp"

#include <leveldb/env.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>

namespace troupe::journal_folder {

namespace fs = std::filesystem;

namespace {

constexpr mode_t for_this_user = 0700;

class descriptor {
 public:
  descriptor(const fs::path& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

std::string named(const fs::path& folder) {
  return "the journal folder " + folder.string();
}

error system_error(const std::string& doing, const fs::path& folder, int number) {
  const errc code = number == ENOSPC || number == EDQUOT    ? errc::exhausted
                    : number == ENOTDIR || number == EEXIST ? errc::invalid_argument
                                                            : errc::io;
  return {code, "Cannot " + doing + " " + named(folder) + ": " + std::strerror(number) + "."};
}

/// A new entry of a directory is durable only once the directory itself is synced.
result<void> sync_directory(const fs::path& directory) {
  const descriptor opened(directory, O_RDONLY | O_DIRECTORY);
  if (opened.number() < 0 || ::fsync(opened.number()) != 0) return system_error("sync the parent of", directory, errno);
  return {};
}

bool mentions(const leveldb::Status& status, int number) {
  return status.ToString().find(std::strerror(number)) != std::string::npos;
}

bool is_lock_failure(const fs::path& folder, const leveldb::Status& status) {
  return status.ToString().find("lock " + (folder / "LOCK").string()) != std::string::npos;
}

std::string name_of_process(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/comm");
  std::string name;
  std::getline(file, name);
  return "process " + std::to_string(process) + (name.empty() ? "" : " (" + name + ")");
}

error lock_error(const fs::path& folder, const leveldb::Status& status) {
  const bool ours = status.ToString().find("already held by process") != std::string::npos;
  std::string holder_name = ours ? "this process" : holder(folder);
  if (holder_name.empty()) holder_name = "another process";
  return {errc::unavailable,
          "Cannot open " + named(folder) + ": " + holder_name +
              " has it open. Two daemons cannot share a folder; stop that one or give this one a folder of its own."};
}

error hopeless(const fs::path& folder, const std::string& why) {
  return {errc::corrupt, "Cannot open " + named(folder) + ": it is damaged and nothing could be salvaged (" + why +
                             "). Restore it from a backup, or move it aside to start with an empty one; "
                             "what it remembered is then forgotten."};
}

}  // namespace

result<void> make(const fs::path& folder) {
  if (folder.empty()) return invalid("The journal folder has no name; give a path.");
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) return {};
  const fs::path parent = fs::absolute(folder, ignored).lexically_normal().parent_path();
  if (parent != folder && !fs::exists(parent, ignored)) {
    if (auto made = make(parent); !made) return made;
  }
  if (::mkdir(folder.c_str(), for_this_user) != 0) return system_error("create", folder, errno);
  return sync_directory(parent);
}

bool is_data_file(const std::string& name) {
  static const std::regex names(R"(CURRENT|MANIFEST-\d{6,}|\d{6,}\.(log|ldb|sst))");
  return std::regex_match(name, names);
}

bool lost_its_contents_table(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / "CURRENT", ignored)) return false;
  for (const auto& file : fs::directory_iterator(folder, ignored)) {
    const auto name = file.path().filename().string();
    if (is_data_file(name) && name[0] != 'M') return true;  // a MANIFEST alone is a start that was cut off
  }
  return false;
}

result<void> salvage(const fs::path& folder, const leveldb::Options& how, const leveldb::Status& why) {
  // RepairDB does not look whether somebody else is at work.
  leveldb::FileLock* lock = nullptr;
  const auto locked = how.env->LockFile((folder / "LOCK").string(), &lock);
  if (!locked.ok()) return open_error(folder, locked);
  const auto repaired = repair(folder.string(), how, why);
  how.env->UnlockFile(lock);
  if (repaired.IsCorruption()) return hopeless(folder, why.ToString() + "; " + repaired.ToString());
  if (!repaired.ok()) return store_error(folder, repaired);  // what is damaged is as it was
  return {};
}

std::optional<std::string> salvage_report(const fs::path& folder) {
  std::error_code failed;
  const fs::path lost = folder / "lost";
  if (fs::directory_iterator(lost, failed) == fs::directory_iterator() || failed) return std::nullopt;
  return "The journal folder " + folder.string() +
         " was damaged and was rebuilt from what could be read; records may be missing or older than they should be. "
         "The files it was rebuilt from are in " +
         lost.string() + "; remove them when they are no longer needed.";
}

std::string holder(const fs::path& folder) {
  struct stat lock = {};
  if (::stat((folder / "LOCK").c_str(), &lock) != 0) return {};
  // `1: POSIX  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`; asking by fcntl would take opening the file.
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, mode, access;
    pid_t process = 0;
    unsigned major = 0, minor = 0;
    unsigned long long inode = 0;
    char colon = 0;
    words >> number >> kind >> mode >> access >> process >> std::hex >> major >> colon >> minor >> colon >> std::dec >>
        inode;
    const bool is_ours = words && inode == lock.st_ino && makedev(major, minor) == lock.st_dev;
    if (is_ours && process > 0 && process != ::getpid()) return name_of_process(process);
  }
  return {};
}

error newer_error(const fs::path& folder, const std::string& key, unsigned version) {
  return invalid("Cannot open " + named(folder) + ": a newer release wrote it. Its record " + key + " has version " +
                 std::to_string(version) + ", and this release reads versions up to " + std::to_string(record_version) +
                 ". Nothing was changed; use the release that wrote it, or a later one.");
}

error open_error(const fs::path& folder, const leveldb::Status& status) {
  if (is_lock_failure(folder, status)) return lock_error(folder, status);
  if (status.IsCorruption()) return hopeless(folder, status.ToString());
  return store_error(folder, status);
}

error removed_error(const fs::path& folder) {
  return {errc::io, "Cannot use " + named(folder) +
                        ": it was removed, replaced or unmounted while it was open. Put it back as it was."};
}

error store_error(const fs::path& folder, const leveldb::Status& status) {
  const bool full = mentions(status, ENOSPC) || mentions(status, EDQUOT);
  const errc code = status.IsCorruption() ? errc::corrupt : full ? errc::exhausted : errc::io;
  const std::string remedy = full ? " Free some space on its file system." : "";
  return {code, "Cannot use " + named(folder) + ": " + status.ToString() + "." + remedy};
}

}  // namespace troupe::journal_folder
