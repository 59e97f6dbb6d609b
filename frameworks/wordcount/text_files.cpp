#include "frameworks/wordcount/text_files.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace troupe::wordcount {

namespace fs = std::filesystem;

bool is_text_name(const std::string& name) {
  auto dot = name.rfind('.');
  if (dot == std::string::npos) return true;
  auto suffix = name.substr(dot);
  return suffix == ".txt" || suffix == ".md" || suffix == ".markdown" || suffix == ".html" || suffix == ".htm";
}

std::vector<text_file> find_text_files(const std::vector<std::string>& roots) {
  std::vector<text_file> found;
  for (const auto& root : roots) {
    std::error_code failed;
    auto options = fs::directory_options::skip_permission_denied;  // and links are not followed
    for (fs::recursive_directory_iterator it(root, options, failed), end; !failed && it != end; it.increment(failed)) {
      std::error_code unreadable;
      if (it->symlink_status(unreadable).type() != fs::file_type::regular) continue;
      if (is_text_name(it->path().filename().string()))
        found.push_back({it->path().string(), it->file_size(unreadable)});
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return found;
}

}  // namespace troupe::wordcount
