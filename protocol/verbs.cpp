#include "protocol/verbs.hpp"

#include <algorithm>
#include <map>

namespace troupe {

namespace {

struct verb_entry {
  verb_info info;
  const google::protobuf::Message* prototype;
};

const std::vector<verb_entry>& table() {
  static const std::vector<verb_entry> entries = [] {
    std::vector<verb_entry> all;
#define TROUPE_VERB_ENTRY(NUMBER, MESSAGE) \
  all.push_back({{NUMBER, MESSAGE::descriptor()->full_name()}, &MESSAGE::default_instance()});
    TROUPE_VERBS(TROUPE_VERB_ENTRY)
#undef TROUPE_VERB_ENTRY
    return all;
  }();
  return entries;
}

const verb_entry* find(std::uint32_t number) {
  const auto& all = table();
  auto it = std::lower_bound(all.begin(), all.end(), number,
                             [](const verb_entry& e, std::uint32_t n) { return e.info.number < n; });
  return it != all.end() && it->info.number == number ? &*it : nullptr;
}

template <class... Ms>
bool among(verbs<Ms...>, std::uint32_t verb) {
  return ((verb_number<Ms>::value == verb) || ...);
}

}  // namespace

const std::vector<verb_info>& all_verbs() {
  static const std::vector<verb_info> infos = [] {
    std::vector<verb_info> all;
    for (const auto& entry : table()) all.push_back(entry.info);
    return all;
  }();
  return infos;
}

std::string_view verb_name(std::uint32_t number) {
  const auto* entry = find(number);
  return entry ? entry->info.name : "unknown";
}

bool may_cross_link(Role from, Role to, std::uint32_t verb) {
  switch (from) {
    case internal::AGENT:
      return (to == internal::MASTER && among(agent_says_to_master{}, verb)) ||
             (to == internal::EXECUTOR && among(agent_says_to_executor{}, verb));
    case internal::MASTER:
      return (to == internal::AGENT && among(master_says_to_agent{}, verb)) ||
             (to == internal::FRAMEWORK && among(master_says_to_framework{}, verb)) ||
             (to == internal::OPERATOR && among(master_says_to_operator{}, verb));
    case internal::FRAMEWORK:
      return to == internal::MASTER && among(framework_says_to_master{}, verb);
    case internal::OPERATOR:
      return to == internal::MASTER && among(operator_says_to_master{}, verb);
    case internal::EXECUTOR:
      return to == internal::AGENT && among(executor_says_to_agent{}, verb);
    case internal::ALLOCATOR:
    case internal::CONTAINERIZER:
    case internal::SUPERVISOR:
    case internal::RUNTIME:
    case internal::COORDINATOR:
    case internal::ELECTOR:
    case internal::NOBODY:
      return false;
  }
  return false;
}

std::unique_ptr<google::protobuf::Message> new_message(std::uint32_t verb) {
  const auto* entry = find(verb);
  return entry ? std::unique_ptr<google::protobuf::Message>(entry->prototype->New()) : nullptr;
}

std::uint32_t verb_of(const google::protobuf::Message& message) {
  static const auto* by_descriptor = [] {
    auto* index = new std::map<const google::protobuf::Descriptor*, std::uint32_t>;
    for (const auto& entry : table()) index->emplace(entry.prototype->GetDescriptor(), entry.info.number);
    return index;
  }();
  auto it = by_descriptor->find(message.GetDescriptor());
  return it == by_descriptor->end() ? 0 : it->second;
}

std::string_view role_name(Role role) {
  switch (role) {
    case internal::NOBODY:
      return "nobody";
    case internal::MASTER:
      return "master";
    case internal::ALLOCATOR:
      return "allocator";
    case internal::AGENT:
      return "agent";
    case internal::EXECUTOR:
      return "executor";
    case internal::FRAMEWORK:
      return "framework";
    case internal::OPERATOR:
      return "operator";
    case internal::CONTAINERIZER:
      return "containerizer";
    case internal::SUPERVISOR:
      return "supervisor";
    case internal::RUNTIME:
      return "runtime";
    case internal::COORDINATOR:
      return "coordinator";
    case internal::ELECTOR:
      return "elector";
  }
  return "nobody";
}

std::string to_string(const Address& a) {
  return std::string(role_name(a.role())) + "/" + a.id();
}

}  // namespace troupe
