#include "storage/keys.hpp"

#include <optional>

namespace troupe::keys {

namespace {

constexpr char hex[] = "0123456789ABCDEF";

bool needs_escape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '%' || c == '/' || byte < 0x20 || byte == 0x7f;
}

void append_escaped(std::string& out, std::string_view component) {
  for (const char c : component) {
    if (!needs_escape(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(hex[byte >> 4]);
    out.push_back(hex[byte & 0xf]);
  }
}

std::optional<unsigned> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

/// Nothing where append_escaped cannot have written this: each component has exactly one spelling.
std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (needs_escape(text[i])) return std::nullopt;
      out.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const auto high = digit(text[i + 1]);
    const auto low = digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    const char c = static_cast<char>(*high << 4 | *low);
    if (!needs_escape(c)) return std::nullopt;
    out.push_back(c);
    i += 2;
  }
  return out;
}

}  // namespace

std::string path(const std::vector<std::string_view>& components) {
  std::string key;
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (i != 0) key.push_back('/');
    append_escaped(key, components[i]);
  }
  return key;
}

std::vector<std::string> components(std::string_view key) {
  if (key.empty()) return {};
  std::vector<std::string> out;
  for (;;) {
    const std::size_t slash = key.find('/');
    auto component = unescape(key.substr(0, slash));
    if (!component) return {};
    out.push_back(std::move(*component));
    if (slash == std::string_view::npos) return out;
    key.remove_prefix(slash + 1);
  }
}

bool under(std::string_view key, std::string_view prefix) {
  if (key.substr(0, prefix.size()) != prefix) return false;
  return prefix.empty() || prefix.back() == '/' || key.size() == prefix.size() || key[prefix.size()] == '/';
}

std::string ordered(std::uint64_t number) {
  std::string out(16, '0');
  for (auto place = out.rbegin(); place != out.rend(); ++place, number >>= 4) *place = hex[number & 0xf];
  return out;
}

std::string identity(std::string_view role) {
  return path({"identity", role});
}

std::string master_agent(const agent_id& agent) {
  return path({"master", "agent", agent.value()});
}
std::string master_framework(const framework_id& framework) {
  return path({"master", "framework", framework.value()});
}
std::string master_weight(std::string_view role) {
  return path({"master", "weight", role});
}

std::string agent_self() {
  return path({"agent", "self"});
}
std::string agent_framework(const framework_id& framework) {
  return path({"agent", "framework", framework.value()});
}
std::string agent_executor(const framework_id& framework, const executor_id& executor) {
  return path({"agent", "executor", framework.value(), executor.value()});
}
std::string agent_task(const framework_id& framework, const task_id& task) {
  return path({"agent", "task", framework.value(), task.value()});
}
std::string agent_update(const framework_id& framework, const task_id& task, std::uint64_t number) {
  return path({"agent", "update", framework.value(), task.value(), ordered(number)});
}

std::string_view owner(std::string_view key) {
  return key.substr(0, key.find('/'));
}

std::string_view head() {
  return "head";
}

std::string quarantine(std::string_view key) {
  return std::string(quarantine_root) + '/' + std::string(key);
}

std::string loss(std::string_view owner) {
  return quarantine(head()) + '/' + std::string(owner);
}

}  // namespace troupe::keys
