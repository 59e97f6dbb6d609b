#pragma once

#include "troupe/internal/master_state.pb.h"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace troupe {

/// What is due at a deadline. The numbers are saved.
enum class due : unsigned {
  ping = 1,              ///< first: agent id
  agent_return = 2,      ///< first: agent id; its link broke and it must register again
  recovered_agents = 3,  ///< those of the registry that have not registered again
  offer = 4,             ///< first: offer id
  kill = 5,              ///< first: framework id, second: task id
  registry_gc = 6,
  framework_return = 7,  ///< first: framework id; it is removed unless it comes back
};

/// Names one deadline. Ordered, so that those of the same moment come in a fixed order.
struct deadline_key {
  due what;
  std::string first = {};
  std::string second = {};

  friend bool operator<(const deadline_key& a, const deadline_key& b) {
    return std::tie(a.what, a.first, a.second) < std::tie(b.what, b.first, b.second);
  }
};

/// All pending deadlines of one clock, one a key. The earliest is what the master wants to be woken for.
template <class Time>
class deadline_book {
 public:
  /// Replaces the key's former deadline.
  void set(const deadline_key& key, Time at) {
    clear(key);
    by_key_.emplace(key, at);
    by_time_.emplace(at, key);
  }

  void clear(const deadline_key& key) {
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    by_time_.erase({found->second, key});
    by_key_.erase(found);
  }

  std::optional<Time> of(const deadline_key& key) const {
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    return found->second;
  }

  std::optional<Time> earliest() const {
    if (by_time_.empty()) return std::nullopt;
    return by_time_.begin()->first;
  }

  /// Takes the earliest deadline out, if it is not later than `now`.
  std::optional<deadline_key> take_due(Time now) {
    if (by_time_.empty() || by_time_.begin()->first > now) return std::nullopt;
    auto key = by_time_.begin()->second;
    clear(key);
    return key;
  }

  const std::map<deadline_key, Time>& all() const { return by_key_; }

  void save(google::protobuf::RepeatedPtrField<internal::MasterState::Deadline>* list) const {
    for (const auto& [key, at] : by_key_) {
      auto* saved = list->Add();
      saved->set_kind(static_cast<unsigned>(key.what));
      saved->set_first(key.first);
      saved->set_second(key.second);
      saved->set_at_ns(at.time_since_epoch().count());
    }
  }

  void load(const google::protobuf::RepeatedPtrField<internal::MasterState::Deadline>& list) {
    for (const auto& saved : list)
      set({static_cast<due>(saved.kind()), saved.first(), saved.second()},
          Time(std::chrono::nanoseconds(saved.at_ns())));
  }

 private:
  std::map<deadline_key, Time> by_key_;
  std::set<std::pair<Time, deadline_key>> by_time_;
};

}  // namespace troupe
