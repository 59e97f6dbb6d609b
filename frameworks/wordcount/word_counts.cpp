#include "frameworks/wordcount/word_counts.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

namespace troupe::wordcount {

namespace {

// Not std::isalpha, which asks the locale.
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

void word_counts::add_text(std::string_view text) {
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && is_letter(text[i])) {
      word.push_back(lower(text[i]));
    } else if (!word.empty()) {
      ++counts_[word];
      ++total_;
      word.clear();
    }
  }
}

result<void> word_counts::add_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
  if (!file.is_open() || file.bad()) return error{errc::io, "cannot read " + path + ": " + std::strerror(errno)};
  add_text(text.str());
  return {};
}

result<void> word_counts::add_counts(std::string_view lines) {
  for (std::size_t number = 1; !lines.empty(); ++number) {
    auto end = lines.find('\n');
    auto line = lines.substr(0, end);
    auto space = line.find(' ');
    std::uint64_t count = 0;
    const char* last = line.data() + line.size();
    bool sound = end != std::string_view::npos && space != std::string_view::npos;
    if (sound) {
      auto parsed = std::from_chars(line.data() + space + 1, last, count);
      sound = parsed.ec == std::errc() && parsed.ptr == last;
    }
    if (!sound) return error{errc::corrupt, "line " + std::to_string(number) + " is not 'word count'"};
    counts_[std::string(line.substr(0, space))] += count;
    total_ += count;
    lines.remove_prefix(end + 1);
  }
  return {};
}

word_counts word_counts::part(unsigned partition, unsigned of) const {
  word_counts selected;
  for (const auto& [word, count] : counts_) {
    if (partition_of(word, of) != partition) continue;
    selected.counts_.emplace(word, count);
    selected.total_ += count;
  }
  return selected;
}

std::string word_counts::text() const {
  std::vector<const std::pair<const std::string, std::uint64_t>*> sorted;
  sorted.reserve(counts_.size());
  for (const auto& entry : counts_) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  std::string lines;
  for (const auto* entry : sorted) lines += entry->first + ' ' + std::to_string(entry->second) + '\n';
  return lines;
}

unsigned partition_of(std::string_view word, unsigned partitions) {
  std::uint32_t hash = 2166136261u;
  for (unsigned char c : word) hash = (hash ^ c) * 16777619u;
  return partitions == 0 ? 0 : hash % partitions;
}

}  // namespace troupe::wordcount
