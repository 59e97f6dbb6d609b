#include "actors/master/framework_table.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace troupe {

bool has_capability(const v1::FrameworkInfo& info, v1::FrameworkInfo::Capability::Type capability) {
  return std::any_of(info.capabilities().begin(), info.capabilities().end(),
                     [&](const auto& one) { return one.type() == capability; });
}

bool partition_aware(const v1::FrameworkInfo& info) {
  return has_capability(info, v1::FrameworkInfo::Capability::PARTITION_AWARE);
}

std::vector<std::string> roles_of(const v1::FrameworkInfo& info) {
  if (!has_capability(info, v1::FrameworkInfo::Capability::MULTI_ROLE)) return {info.role()};
  return {info.roles().begin(), info.roles().end()};
}

std::chrono::nanoseconds failover_timeout(const v1::FrameworkInfo& info) {
  // A century is as good as for ever, and leaves room for adding it to a time.
  constexpr double seconds_max = 100.0 * 365 * 24 * 3600;
  const double seconds = std::min(info.failover_timeout(), seconds_max);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
}

framework* framework_table::find(const framework_id& id) {
  auto found = live_.find(id);
  return found == live_.end() ? nullptr : &found->second;
}

const framework* framework_table::find(const framework_id& id) const {
  auto found = live_.find(id);
  return found == live_.end() ? nullptr : &found->second;
}

framework* framework_table::at(const Address& where) {
  auto found = by_address_.find(where);
  return found == by_address_.end() ? nullptr : find(found->second);
}

framework& framework_table::add(framework entry) {
  if (entry.at) by_address_[*entry.at] = entry.id;
  if (!entry.questions.empty()) asking_.insert(entry.id);
  auto id = entry.id;
  return live_.emplace(std::move(id), std::move(entry)).first->second;
}

void framework_table::connect(framework& entry, const Address& where) {
  disconnect(entry);
  entry.at = where;
  by_address_[where] = entry.id;
}

void framework_table::disconnect(framework& entry) {
  if (entry.at) by_address_.erase(*entry.at);
  entry.at.reset();
  entry.questions.clear();
  asking_.erase(entry.id);
}

void framework_table::ask(framework& entry, const task_id& id, task_question question) {
  asking_.insert(entry.id);
  if (question.implied)
    entry.questions.insert({id, std::move(question)});
  else
    entry.questions[id] = std::move(question);
}

void framework_table::drop_question(framework& entry, const task_id& id) {
  if (entry.questions.erase(id) != 0 && entry.questions.empty()) asking_.erase(entry.id);
}

std::pair<task_id, task_question> framework_table::take_question(framework& entry) {
  auto taken = entry.questions.extract(entry.questions.begin());
  if (entry.questions.empty()) asking_.erase(entry.id);
  return {std::move(taken.key()), std::move(taken.mapped())};
}

void framework_table::forget(const framework_id& id) {
  auto found = live_.find(id);
  if (found == live_.end()) return;
  disconnect(found->second);
  live_.erase(found);
}

void framework_table::add_completed(completed_framework entry, std::size_t count_max) {
  completed_.push_back(std::move(entry));
  while (completed_.size() > count_max) completed_.pop_front();
}

std::vector<framework_id> framework_table::prune_removed(wall_time oldest, std::size_t count_max) {
  std::vector<std::pair<wall_time, framework_id>> by_age;
  for (const auto& [id, since] : removed_) by_age.emplace_back(since, id);
  std::sort(by_age.begin(), by_age.end());
  const auto excess = by_age.size() > count_max ? by_age.size() - count_max : 0;
  std::vector<framework_id> forgotten;
  for (std::size_t i = 0; i < by_age.size() && (i < excess || by_age[i].first < oldest); ++i)
    forgotten.push_back(by_age[i].second);
  for (const auto& id : forgotten) removed_.erase(id);
  return forgotten;
}

void framework_table::check_invariants() const {
  for (const auto& [id, entry] : live_) {
    if (entry.id != id || framework_id(entry.info.id()) != id)
      throw std::logic_error("framework " + id.value() + " is kept under another id than its own");
    if (removed_.count(id) != 0) throw std::logic_error("framework " + id.value() + " is live and removed at once");
    if (entry.questions.empty() != (asking_.count(id) == 0))
      throw std::logic_error("framework " + id.value() + " must be listed as asking exactly while it has questions");
    if (!entry.at) continue;
    auto found = by_address_.find(*entry.at);
    if (found == by_address_.end() || found->second != id)
      throw std::logic_error("the address of framework " + id.value() + " does not lead to it");
  }
  for (const auto& id : asking_)
    if (!find(id)) throw std::logic_error("framework " + id.value() + " is listed as asking and is not there");
  for (const auto& [where, id] : by_address_) {
    const auto* entry = find(id);
    if (!entry || !entry->at || !same(*entry->at, where))
      throw std::logic_error("address " + to_string(where) + " leads to framework " + id.value() +
                             ", which is not there");
  }
}

}  // namespace troupe
