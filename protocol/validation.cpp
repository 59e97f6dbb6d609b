#include "protocol/validation.hpp"

#include "protocol/quoting.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace troupe {
namespace {

bool forbidden_in_id(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || c == '/' || c == '\\';
}

const char* fault_of_id(std::string_view id) {
  if (id.empty()) return "must not be empty";
  if (id.size() > 255) return "must have at most 255 characters";
  if (id == "." || id == "..") return "must not be '.' or '..'";
  if (std::any_of(id.begin(), id.end(), forbidden_in_id)) return "must not contain control characters, '/' or '\\'";
  return nullptr;
}

std::string in_quotes(const std::shared_ptr<const std::string>& role) {
  return role ? quoted(*role) : "none";
}

}  // namespace

result<void> validate_id(std::string_view field, std::string_view id) {
  const char* fault = fault_of_id(id);
  if (fault == nullptr) return {};
  return invalid(std::string(field) + " " + quoted(id) + " " + fault);
}

result<void> validate_resources(const resources::proto_list& list) {
  auto all = resources::from(list);
  if (!all) return all.error();
  return {};
}

result<void> validate_single_allocation(const resources& r) {
  const auto& entries = r.entries();
  for (const auto& e : entries) {
    if (!e.allocated_to) return invalid("resource " + quoted(e.kind->name) + " must have allocation_info.role");
    if (*e.allocated_to != *entries.front().allocated_to)
      return invalid("all resources must be allocated to one role, not to " + in_quotes(entries.front().allocated_to) +
                     " and " + in_quotes(e.allocated_to));
  }
  return {};
}

result<void> validate_single_provider(const resources& r) {
  const auto& entries = r.entries();
  for (const auto& e : entries)
    if (e.kind->provider != entries.front().kind->provider)
      return invalid("all resources must come from one resource provider, not from " +
                     quoted(entries.front().kind->provider.value_or("the agent")) + " and " +
                     quoted(e.kind->provider.value_or("the agent")));
  return {};
}

result<void> validate_revocability(const resources& r) {
  std::map<std::string_view, bool> revocable;
  for (const auto& e : r.entries())
    if (revocable.emplace(e.kind->name, e.kind->revocable).first->second != e.kind->revocable)
      return invalid("resource " + quoted(e.kind->name) + " must be all revocable or all not revocable");
  return {};
}

result<void> validate_volume_ids(const resources& r) {
  std::map<std::pair<std::string_view, std::string_view>, const resource_entry*> seen;
  for (const auto& e : r.entries()) {
    if (!e.kind->persistent()) continue;
    const std::string_view id = e.kind->disk->persistence().id();
    const auto& first = *seen.emplace(std::pair(e.kind->role(), id), &e).first->second;
    const bool another =
        &first != &e && !(e.kind->shared && compare(*first.kind, *e.kind) == 0 && first.amount == e.amount);
    if (another || (e.copies > 1 && !e.kind->shared))
      return invalid("disk.persistence.id " + quoted(id) + " must be unique within the role " + quoted(e.kind->role()));
  }
  return {};
}

}  // namespace troupe
