#include "isolators/container_files.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <vector>

namespace troupe {
namespace {

constexpr std::size_t name_bytes_max = 255;
constexpr int depth_max = 32;

void append_escaped(std::string& out, std::string_view text) {
  static const char digits[] = "0123456789ABCDEF";
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                 (c == '.' && !out.empty());
    if (plain) {
      out += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(1)) {
    if (text[0] != '%') {
      out += text[0];
      continue;
    }
    unsigned byte = 0;
    if (text.size() < 3) return std::nullopt;
    auto [end, failure] = std::from_chars(text.data() + 1, text.data() + 3, byte, 16);
    if (failure != std::errc{} || end != text.data() + 3) return std::nullopt;
    out += static_cast<char>(byte);
    text.remove_prefix(2);
  }
  return out;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    auto end = line.find(' ');
    if (end != 0) words.push_back(line.substr(0, end));
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + 1);
  }
  return words;
}

template <class Number>
bool read_number(std::string_view word, Number& number) {
  auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), number);
  return failure == std::errc{} && end == word.data() + word.size();
}

bool read_process(const std::vector<std::string_view>& words, std::optional<process_identity>& process) {
  process.emplace();
  return words.size() == 3 && read_number(words[1], process->pid) && process->pid > 0 &&
         read_number(words[2], process->start_time);
}

/// Calls `take(words)` for each line; stops at the first that it refuses.
template <class Take>
result<void> for_each_line(std::string_view text, Take take) {
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    auto words = words_of(line);
    if (!words.empty() && !take(words)) return error{errc::corrupt, "cannot read the line '" + std::string(line) + "'"};
  }
  return {};
}

}  // namespace

result<std::string> container_key(const v1::ContainerID& id) {
  std::vector<const v1::ContainerID*> path;
  for (auto* at = &id;; at = &at->parent()) {
    if (at->value().empty()) return invalid("container_id.value is empty; it must name the container");
    if (path.size() == depth_max) return invalid("container_id has more than 32 parents");
    path.push_back(at);
    if (!at->has_parent()) break;
  }
  std::string key;
  for (auto it = path.rbegin(); it != path.rend(); ++it) {
    if (!key.empty()) key += '+';
    append_escaped(key, (*it)->value());
  }
  if (key.size() > name_bytes_max) {
    return invalid("container_id is too long: " + std::to_string(key.size()) +
                   " bytes as a file name (parents included), at most 255 are allowed");
  }
  return key;
}

result<v1::ContainerID> container_id_of(const std::string& key) {
  auto nobodys = error{errc::invalid_argument, "'" + key + "' is not the name of a container"};
  std::optional<v1::ContainerID> id;
  for (std::string_view rest = key;;) {
    auto value = unescaped(rest.substr(0, rest.find('+')));
    if (!value) return nobodys;
    v1::ContainerID inner;
    inner.set_value(*value);
    if (id) *inner.mutable_parent() = std::move(*id);
    id = std::move(inner);
    if (rest.find('+') == std::string_view::npos) break;
    rest.remove_prefix(rest.find('+') + 1);
  }
  auto back = container_key(*id);  // one container has one name
  return back && *back == key ? result<v1::ContainerID>(*id) : nobodys;
}

container_files files_of(const std::string& runtime_directory, const std::string& key) {
  auto directory = runtime_directory + "/containers/" + key;
  return {directory, directory + "/pid", directory + "/status", directory + "/end"};
}

void remove_files(const container_files& files) {
  std::error_code failure;
  std::filesystem::remove_all(files.directory, failure);
  if (failure) spdlog::warn("container.files_not_removed path={} error=\"{}\"", files.directory, failure.message());
}

result<container_record> parse_container_record(std::string_view text) {
  container_record record;
  auto read = for_each_line(text, [&](const std::vector<std::string_view>& words) {
    if (words[0] == "shim") return read_process(words, record.shim);
    if (words[0] == "task") return read_process(words, record.task);
    if (words[0] == "status") return words.size() == 2 && read_number(words[1], record.status.emplace());
    if (words[0] == "boot" && words.size() == 2) record.boot = words[1];
    return true;
  });
  if (!read) return read.error();
  return record;
}

result<shim_report> parse_shim_report(std::string_view text) {
  shim_report report;
  auto read = for_each_line(text, [&](const std::vector<std::string_view>& words) {
    if (words[0] == "started") return read_process(words, report.started);
    if (words[0] != "failed" || words.size() != 3) return false;
    report.failed_step = words[1];
    return read_number(words[2], report.failed_errno);
  });
  if (!read) return read.error();
  return report;
}

}  // namespace troupe
