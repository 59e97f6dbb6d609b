#include "isolators/container.hpp"

namespace troupe {
namespace {

constexpr std::size_t ends_kept_max = 1'024;

}  // namespace

const v1::ContainerID& container_of(const container_event& event) {
  return std::visit([](const auto& what) -> const v1::ContainerID& { return what.container_id(); }, event);
}

void ended_containers::add(const std::string& key, end how) {
  if (ends_.insert_or_assign(key, std::move(how)).second) order_.push_back(key);
  if (order_.size() <= ends_kept_max) return;
  ends_.erase(order_.front());
  order_.pop_front();
}

const ended_containers::end* ended_containers::find(const std::string& key) const {
  auto it = ends_.find(key);
  return it == ends_.end() ? nullptr : &it->second;
}

container_event last_event(const container& c) {
  if (c.failure) {
    internal::ContainerLaunchFailed failed;
    *failed.mutable_container_id() = c.id;
    failed.set_message(*c.failure);
    return failed;
  }
  internal::ContainerExited exited;
  *exited.mutable_container_id() = c.id;
  if (c.record.status) exited.set_status(*c.record.status);
  if (c.memory && exceeded(*c.memory)) add_memory_limitation(*c.memory, exited);
  return exited;
}

}  // namespace troupe
