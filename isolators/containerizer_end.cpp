#include "isolators/containerizer.hpp"
#include "isolators/process_table.hpp"
#include "isolators/small_file.hpp"

#include <spdlog/spdlog.h>

/// From the shim's end, or want of memory, until nothing is left and that is said.
namespace troupe {
namespace {

constexpr std::chrono::milliseconds clearing_pause{5};
constexpr int clearings_max = 12'000;  // a minute

bool was_signalled(const file_descriptor& event) {
  std::uint64_t count = 0;
  return event && ::read(event.get(), &count, sizeof count) == sizeof count;
}

/// How it ended, or else at least who it was.
container_record read_record(const container_files& files) {
  for (const auto& path : {files.status_path, files.pid_path}) {
    auto text = read_small_file(path);
    if (!text) continue;
    auto record = parse_container_record(*text);
    if (record) return *record;
    spdlog::warn("container.record_unreadable path={} error=\"{}\"", path, record.error().message);
  }
  return {};
}

}  // namespace

void containerizer::on_out_of_memory(const container_ptr& c) {
  c->out_of_memory = true;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    poller_.forget(c->memory_watch);
  }
  spdlog::info("container.out_of_memory container={}", c->key);
  kill_now(c);
}

void containerizer::on_shim_ended(const container_ptr& c) {
  reap(c->shim);
  if (!c->report_done) {
    read_report(*c);
    conclude_report(c);
  }
  c->record = read_record(c->plan.files);
  c->memory = groups_.memory_of(c->key, c->out_of_memory || was_signalled(c->memory_event));
  {
    std::lock_guard<std::mutex> lock(mutex_);
    c->shim_ended = true;
    poller_.forget(c->shim_watch);
    poller_.forget(c->memory_watch);
    c->shim.process.close();
    c->memory_event.close();
  }
  clear(c);
}

/// Until nothing is left; what has just been killed takes a moment to go.
void containerizer::clear(const container_ptr& c) {
  if (!clear_once(*c)) {
    if (++c->clearings < clearings_max) return poller_.after(clearing_pause, [this, c] { clear(c); });
    spdlog::error("container.not_cleared container={}", c->key);
  }
  finish(c, last_event(*c));
}

bool containerizer::clear_once(const container& c) {
  bool left = false;
  // Without a status its shim was killed, and what it held runs on.
  if (!c.record.status && c.record.task) left = kill_session(*c.record.task);
  if (groups_.remove(c.key)) return !left;
  groups_.kill_all(c.key);
  return false;
}

/// Its end is on record before it is told.
void containerizer::finish(const container_ptr& c, container_event last) {
  ended_containers::end how{c->launched, last};
  record_end(c->plan.files, how);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ended_.add(c->key, std::move(how));
    containers_.erase(c->key);
    all_ended_.notify_all();
  }
  if (c->released) release_end(c->key);
  listen_(last);
}

void containerizer::record_end(const container_files& files, const ended_containers::end& how) const {
  auto written = replace_file(files.end_path, end_message(how, boot_id_).SerializeAsString());
  // Without a folder nothing was started: a later process that launches it anew does no harm.
  if (!written && written.error().code != errc::not_found)
    spdlog::error("container.end_not_recorded path={} error=\"{}\"", files.end_path, written.error().message);
}

}  // namespace troupe
