#pragma once

#include "protocol/ids.hpp"
#include "troupe/v1/troupe.pb.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace troupe {

/// The last so many tasks of one kind, at most one an id: a newer one of the same id replaces the older, and the oldest
/// falls out.
class task_ring {
 public:
  explicit task_ring(std::size_t count_max = 0) : count_max_(count_max) {}

  void push(v1::Task task);
  const v1::Task* find(const task_id& id) const;
  std::optional<v1::Task> take(const task_id& id);

  bool empty() const { return by_age_.empty(); }
  std::size_t size() const { return by_age_.size(); }
  /// Oldest first.
  const std::map<std::uint64_t, v1::Task>& by_age() const { return by_age_; }

 private:
  std::size_t count_max_;
  std::uint64_t next_age_ = 0;
  std::map<std::uint64_t, v1::Task> by_age_;
  std::map<task_id, std::uint64_t> age_of_;
};

}  // namespace troupe
