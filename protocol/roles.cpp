#include "protocol/roles.hpp"

#include "protocol/quoting.hpp"

#include <algorithm>

namespace troupe {
namespace {

/// Why the component breaks a rule, or null.
const char* fault_of_component(std::string_view component) {
  if (component.empty()) return "must not start or end with '/' nor contain '//'";
  if (component == "." || component == "..") return "must not have '.' or '..' as a component";
  if (component == "*") return "may be '*' as a whole only, not as a component";
  if (component.front() == '-') return "must not have a component that starts with '-'";
  return nullptr;
}

bool is_space_or_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7f;
}

}  // namespace

bool role_within(std::string_view role, std::string_view ancestor) {
  return role == ancestor || role_strictly_within(role, ancestor);
}

bool role_strictly_within(std::string_view role, std::string_view ancestor) {
  return role.size() > ancestor.size() && role.substr(0, ancestor.size()) == ancestor && role[ancestor.size()] == '/';
}

result<void> validate_role(std::string_view role) {
  if (role == "*") return {};
  if (role.empty()) return invalid("role must not be empty; '*' is the default role");
  const auto broken = [&](const char* rule) { return invalid("role " + quoted(role) + " " + rule); };
  if (std::any_of(role.begin(), role.end(), is_space_or_control))
    return broken("must not contain spaces or control characters");
  for (auto rest = role;;) {
    const auto slash = rest.find('/');
    if (const char* rule = fault_of_component(rest.substr(0, slash))) return broken(rule);
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace troupe
