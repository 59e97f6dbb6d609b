#include "isolators/containerizer.hpp"
#include "isolators/recovery.hpp"

#include <spdlog/spdlog.h>

#include <utility>

/// What an earlier process left is ours from now on.
namespace troupe {

void containerizer::take_over(found_container found) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (found.end) return ended_.add(found.key, std::move(*found.end));
  auto c = std::make_shared<container>();
  c->id = std::move(found.id);
  c->key = found.key;
  c->plan.files = std::move(found.files);
  c->report_done = true;
  c->launched = std::move(found.launched);
  c->record = std::move(found.record);
  c->shim.process = std::move(found.shim);
  containers_[c->key] = c;
  bool runs = static_cast<bool>(c->shim.process);
  c->shim_ended = !runs;
  lock.unlock();
  spdlog::info("container.taken_over container={} runs={} status_known={}", c->key, runs, c->record.status.has_value());
  if (runs) return watch_again(c);
  c->memory = groups_.memory_of(c->key, false);
  poller_.after(std::chrono::milliseconds(0), [this, c] { clear(c); });
}

void containerizer::watch_again(const container_ptr& c) {
  auto memory_event = groups_.watch_memory(c->key);
  // Asked afterwards, so that one of the two tells.
  auto memory = groups_.memory_of(c->key, false);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    c->memory_event = std::move(memory_event);
    c->shim_watch = poller_.watch(c->shim.process.get(), [this, c] { on_shim_ended(c); });
    if (c->memory_event) c->memory_watch = poller_.watch(c->memory_event.get(), [this, c] { on_out_of_memory(c); });
  }
  // It ran out of memory while nobody was there to end it for that.
  if (memory && exceeded(*memory)) poller_.after(std::chrono::milliseconds(0), [this, c] { on_out_of_memory(c); });
}

}  // namespace troupe
