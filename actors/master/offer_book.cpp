#include "actors/master/offer_book.hpp"

#include <utility>

namespace troupe {

namespace {

template <class Key>
std::vector<offer_id> listed(const std::map<Key, std::set<offer_id>>& index, const Key& key) {
  auto found = index.find(key);
  if (found == index.end()) return {};
  return {found->second.begin(), found->second.end()};
}

template <class Key>
void unlist(std::map<Key, std::set<offer_id>>& index, const Key& key, const offer_id& id) {
  auto found = index.find(key);
  if (found == index.end()) return;
  found->second.erase(id);
  if (found->second.empty()) index.erase(found);
}

}  // namespace

const offer* offer_book::find(const offer_id& id) const {
  auto found = all_.find(id);
  return found == all_.end() ? nullptr : &found->second;
}

std::vector<offer_id> offer_book::of_agent(const agent_id& agent) const {
  return listed(by_agent_, agent);
}

std::vector<offer_id> offer_book::of_framework(const framework_id& framework) const {
  return listed(by_framework_, framework);
}

void offer_book::add(offer entry) {
  by_agent_[entry.agent].insert(entry.id);
  by_framework_[entry.framework].insert(entry.id);
  auto id = entry.id;
  all_.emplace(std::move(id), std::move(entry));
}

std::optional<offer> offer_book::take(const offer_id& id) {
  auto found = all_.find(id);
  if (found == all_.end()) return std::nullopt;
  auto taken = std::move(found->second);
  all_.erase(found);
  unlist(by_agent_, taken.agent, taken.id);
  unlist(by_framework_, taken.framework, taken.id);
  return taken;
}

}  // namespace troupe
