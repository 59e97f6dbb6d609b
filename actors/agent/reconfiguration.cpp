#include "actors/agent/reconfiguration.hpp"

#include "protocol/attributes.hpp"
#include "protocol/interval_set.hpp"
#include "protocol/quoting.hpp"
#include "protocol/resources.hpp"
#include "protocol/resources_text.hpp"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe {

namespace {

using policy_t = reconfiguration_policy;

/// What changed in a way that it may not, a line each.
class objections {
 public:
  void add(const std::string& what, const std::string& was, const std::string& would_be, const std::string& valid) {
    lines_ += "\n  " + what + ": was " + (was.empty() ? "nothing" : was) + ", would be " +
              (would_be.empty() ? "nothing" : would_be) + "; valid: " + (valid.empty() ? "nothing" : valid);
  }

  result<void> verdict(policy_t policy) const {
    if (lines_.empty()) return {};
    return error{errc::conflict, policy == policy_t::additive
                                     ? "The agent would come back with less than it was admitted with:" + lines_
                                     : "The agent would come back as another one than was admitted:" + lines_};
  }

 private:
  std::string lines_;
};

std::string or_more(const std::string& text, policy_t policy) {
  return policy == policy_t::additive ? text + " or more" : text;
}

// --- resources -------------------------------------------------------------------------------------------------------

const resource_entry* find(const resources& all, const resource_entry& like) {
  for (const auto& entry : all.entries())
    if (compare(entry, like) == 0) return &entry;
  return nullptr;
}

std::string text_with_copies(const resource_entry& entry) {
  return (entry.copies == 1 ? "" : std::to_string(entry.copies) + " times ") + text_of(entry);
}

/// What there is under this name, for one that is not there as it was.
std::string nearest(const resources& all, const resource_entry& missing) {
  const auto* same = find(all, missing);
  return same ? text_with_copies(*same) : all.named(missing.kind->name).text();
}

bool keeps(const resource_entry& was, const resource_entry* now, policy_t policy) {
  if (!now) return false;
  if (policy == policy_t::equal) return now->amount == was.amount && now->copies == was.copies;
  return was.kind->indivisible ? now->copies >= was.copies : now->amount.contains(was.amount);
}

void compare_resources(const resources& was, const resources& now, policy_t policy, objections& found) {
  for (const auto& entry : was.entries()) {
    const auto before = text_with_copies(entry);
    if (!keeps(entry, find(now, entry), policy))
      found.add("resource " + plain_or_quoted(entry.kind->name), before, nearest(now, entry),
                entry.kind->indivisible ? before : or_more(before, policy));
  }
  if (policy == policy_t::additive) return;
  for (const auto& entry : now.entries())
    if (!find(was, entry)) found.add("resource " + plain_or_quoted(entry.kind->name), "", text_with_copies(entry), "");
}

// --- attributes ------------------------------------------------------------------------------------------------------

std::string text_of(const v1::Attribute* attribute) {
  attribute_list one;
  if (attribute) *one.Add() = *attribute;
  return troupe::text_of(one);
}

interval_set integers(const v1::Value::Ranges& ranges) {
  constexpr auto largest = std::numeric_limits<std::uint64_t>::max() - 1;
  std::vector<interval> all;
  for (const auto& range : ranges.range())
    all.push_back({std::min(range.begin(), largest), std::min(range.end(), largest)});
  return interval_set(std::move(all));
}

bool covers(const v1::Attribute& now, const v1::Attribute& was) {
  if (now.type() != was.type()) return false;
  switch (was.type()) {
    case v1::Value::SCALAR:
      return now.scalar().value() >= was.scalar().value();
    case v1::Value::RANGES:
      return integers(now.ranges()).contains(integers(was.ranges()));
    case v1::Value::SET: {
      const std::set<std::string> items(now.set().item().begin(), now.set().item().end());
      return std::all_of(was.set().item().begin(), was.set().item().end(),
                         [&](const std::string& item) { return items.count(item) != 0; });
    }
    case v1::Value::TEXT:
      return now.text().value() == was.text().value();
  }
  return false;
}

std::map<std::string, std::vector<const v1::Attribute*>> by_name(const attribute_list& attributes) {
  std::map<std::string, std::vector<const v1::Attribute*>> sorted;
  for (const auto& attribute : attributes) sorted[attribute.name()].push_back(&attribute);
  return sorted;
}

void compare_attributes(const attribute_list& was, const attribute_list& now, policy_t policy, objections& found) {
  const auto before = by_name(was);
  auto after = by_name(now);
  for (const auto& [name, attributes] : before) {
    const auto& here = after[name];
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      const auto* other = i < here.size() ? here[i] : nullptr;
      const bool same = other && google::protobuf::util::MessageDifferencer::Equals(*other, *attributes[i]);
      if (same || (policy == policy_t::additive && other && covers(*other, *attributes[i]))) continue;
      const auto text = text_of(attributes[i]);
      found.add("attribute " + plain_or_quoted(name), text, text_of(other),
                attributes[i]->type() == v1::Value::TEXT ? text : or_more(text, policy));
    }
  }
  if (policy == policy_t::additive) return;
  for (const auto& [name, attributes] : after) {
    const auto known = before.find(name);
    for (std::size_t i = known == before.end() ? 0 : known->second.size(); i < attributes.size(); ++i)
      found.add("attribute " + plain_or_quoted(name), "", text_of(attributes[i]), "");
  }
}

void compare_domains(const v1::AgentInfo& was, const v1::AgentInfo& now, policy_t policy, objections& found) {
  const bool same = was.has_domain() == now.has_domain() &&
                    google::protobuf::util::MessageDifferencer::Equals(was.domain(), now.domain());
  if (same || (policy == policy_t::additive && !was.has_domain())) return;
  const auto text = was.domain().ShortDebugString();
  found.add("domain", text, now.domain().ShortDebugString(), text);
}

}  // namespace

std::optional<reconfiguration_policy> reconfiguration_policy_of(std::string_view word) {
  if (word == "equal") return policy_t::equal;
  if (word == "additive") return policy_t::additive;
  return std::nullopt;
}

result<void> check_reconfiguration(const v1::AgentInfo& recorded, const v1::AgentInfo& wanted,
                                   reconfiguration_policy policy) {
  const auto was = resources::from(recorded.resources());
  if (!was) return error{errc::conflict, "The recorded resources cannot be read: " + was.error().message};
  const auto now = resources::from(wanted.resources());
  if (!now) return error{errc::conflict, "resources: " + now.error().message};
  objections found;
  if (recorded.hostname() != wanted.hostname())
    found.add("hostname", recorded.hostname(), wanted.hostname(), recorded.hostname());
  compare_domains(recorded, wanted, policy, found);
  compare_resources(*was, *now, policy, found);
  compare_attributes(recorded.attributes(), wanted.attributes(), policy, found);
  return found.verdict(policy);
}

}  // namespace troupe
