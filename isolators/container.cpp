#include "isolators/container.hpp"

#include "isolators/process_table.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

namespace troupe {
namespace {

constexpr std::size_t released_kept_max = 1'024;
constexpr std::size_t report_bytes_max = 4'096;

}  // namespace

const v1::ContainerID& container_of(const container_event& event) {
  return std::visit([](const auto& what) -> const v1::ContainerID& { return what.container_id(); }, event);
}

void ended_containers::add(const std::string& key, end how) {
  ends_[key].how = std::move(how);
}

const ended_containers::end* ended_containers::find(const std::string& key) const {
  auto it = ends_.find(key);
  return it == ends_.end() ? nullptr : &it->second.how;
}

bool ended_containers::release(const std::string& key) {
  auto it = ends_.find(key);
  if (it == ends_.end() || it->second.released) return false;
  it->second.released = true;
  released_.push_back(key);
  if (released_.size() > released_kept_max) {
    ends_.erase(released_.front());
    released_.pop_front();
  }
  return true;
}

std::vector<std::string> ended_containers::kept() const {
  std::vector<std::string> keys;
  for (const auto& [key, entry] : ends_) {
    if (!entry.released) keys.push_back(key);
  }
  return keys;
}

bool read_report(container& c) {
  char chunk[512];
  for (;;) {
    auto size = ::read(c.shim.report.get(), chunk, sizeof chunk);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0 || errno != EAGAIN;
    if (c.report.size() < report_bytes_max) c.report.append(chunk, static_cast<std::size_t>(size));
  }
}

void signal_task(const internal::ContainerLaunched& task, int number) {
  process_identity leader{task.pid(), task.start_time()};
  // The group keeps the number from being given away while a member lives; an ended group is nobody.
  if (is_alive(leader)) ::kill(-leader.pid, number);
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

internal::ContainerEnd end_message(const ended_containers::end& how, const std::string& boot) {
  internal::ContainerEnd message;
  if (how.launched) *message.mutable_launched() = *how.launched;
  if (const auto* exited = std::get_if<internal::ContainerExited>(&how.last)) *message.mutable_exited() = *exited;
  if (const auto* failed = std::get_if<internal::ContainerLaunchFailed>(&how.last)) *message.mutable_failed() = *failed;
  message.set_boot(boot);
  return message;
}

std::optional<ended_containers::end> end_of(const internal::ContainerEnd& message) {
  ended_containers::end how;
  if (message.has_launched()) how.launched = message.launched();
  if (message.has_exited()) {
    how.last = message.exited();
  } else if (message.has_failed()) {
    how.last = message.failed();
  } else {
    return std::nullopt;
  }
  return how;
}

}  // namespace troupe
