#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace troupe {

/// A folder in /tmp that is removed again, where none was given.
class try_out_folder {
 public:
  try_out_folder(const std::string& name, const std::string& given) : path_(given) {
    if (!given.empty()) return;
    auto pattern = "/tmp/" + name + ".XXXXXX";
    if (const char* made = ::mkdtemp(pattern.data())) path_ = made;
    ours_ = !path_.empty();
  }
  ~try_out_folder() {
    std::error_code ignored;
    if (ours_) std::filesystem::remove_all(path_, ignored);
  }
  try_out_folder(const try_out_folder&) = delete;
  try_out_folder& operator=(const try_out_folder&) = delete;
  /// Empty: it could not be made.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool ours_ = false;
};

}  // namespace troupe
