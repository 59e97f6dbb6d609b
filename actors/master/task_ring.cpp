#include "actors/master/task_ring.hpp"

#include <utility>

namespace troupe {

void task_ring::push(v1::Task task) {
  const task_id id = task.task_id();
  take(id);
  age_of_.emplace(id, next_age_);
  by_age_.emplace(next_age_++, std::move(task));
  while (by_age_.size() > count_max_) {
    const task_id oldest = by_age_.begin()->second.task_id();
    take(oldest);
  }
}

const v1::Task* task_ring::find(const task_id& id) const {
  auto found = age_of_.find(id);
  return found == age_of_.end() ? nullptr : &by_age_.at(found->second);
}

std::optional<v1::Task> task_ring::take(const task_id& id) {
  auto found = age_of_.find(id);
  if (found == age_of_.end()) return std::nullopt;
  auto entry = by_age_.find(found->second);
  auto task = std::move(entry->second);
  by_age_.erase(entry);
  age_of_.erase(found);
  return task;
}

}  // namespace troupe
