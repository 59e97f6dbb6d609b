#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::wordcount {

struct text_file {
  std::string path;
  std::uint64_t bytes = 0;
};

/// Is a file of this name text, Markdown, HTML or a copyright file that is not compressed? That is: its name has no
/// dot, or ends in .txt, .md, .markdown, .html or .htm.
bool is_text_name(const std::string& name);

/// All such regular files below the roots, sorted by path in byte order. Links are neither counted nor followed.
std::vector<text_file> find_text_files(const std::vector<std::string>& roots);

}  // namespace troupe::wordcount
