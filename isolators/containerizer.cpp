#include "isolators/containerizer.hpp"

#include "isolators/process_table.hpp"
#include "isolators/recovery.hpp"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <set>
#include <utility>

namespace troupe {
namespace {

/// Stable for a directory, different for two: FNV-1a, 64 bits.
std::string tag_of(const std::string& directory) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char c : directory) hash = (hash ^ c) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

containerizer_options settle(containerizer_options options) {
  if (options.cgroups.tag.empty()) options.cgroups.tag = tag_of(options.runtime_directory);
  return options;
}

}  // namespace

result<std::unique_ptr<containerizer>> containerizer::start(const containerizer_options& options, listener listen) {
  auto settled = settle(options);
  auto groups = cgroups::detect(settled.cgroups);
  auto found = find_leftovers(settled.runtime_directory, groups);
  if (!found) return found.error();
  std::unique_ptr<containerizer> made(new containerizer(settled, std::move(listen), std::move(groups)));
  for (auto& one : *found) made->take_over(std::move(one));
  return made;
}

result<void> containerizer::end_leftovers(const containerizer_options& options) {
  auto settled = settle(options);
  auto groups = cgroups::detect(settled.cgroups);
  auto cleared = clear_leftovers(settled.runtime_directory, groups);
  groups.remove_own();
  return cleared;
}

containerizer::containerizer(const containerizer_options& options, listener listen, class cgroups groups)
    : options_(options), listen_(std::move(listen)), groups_(std::move(groups)), boot_id_(boot_id()) {}

containerizer::~containerizer() {
  if (!options_.leave_running) end_all();
  groups_.remove_own();
}

void containerizer::end_all() {
  std::unique_lock<std::mutex> lock(mutex_);
  auto running = containers_;
  lock.unlock();
  for (const auto& [key, c] : running) kill_now(c);
  lock.lock();
  // Bounded: a process that the kernel does not let go must not hold up the agent's end.
  all_ended_.wait_for(lock, 3 * options_.shim_end_max, [this] { return containers_.empty(); });
  for (const auto& [key, c] : containers_) spdlog::error("container.not_ended container={}", key);
}

containerizer::container_ptr containerizer::find(const std::string& key) const {
  auto it = containers_.find(key);
  return it == containers_.end() ? nullptr : it->second;
}

void containerizer::signal(const internal::SignalContainer& request) {
  auto key = container_key(request.container_id());
  bool sensible = request.signal() >= 0 && request.signal() < NSIG;
  if (!sensible) spdlog::warn("container.signal_ignored signal={} reason=no_such_signal", request.signal());
  std::unique_lock<std::mutex> lock(mutex_);
  auto c = key ? find(*key) : nullptr;
  if (!c) {
    lock.unlock();
    internal::DestroyContainer unknown;
    *unknown.mutable_container_id() = request.container_id();
    return destroy(unknown);
  }
  if (!sensible || c->shim_ended) return;
  if (!c->launched) {
    c->early_signals.push_back(request.signal());
    return;
  }
  signal_task(*c->launched, request.signal());
}

void containerizer::destroy(const internal::DestroyContainer& request) {
  auto key = container_key(request.container_id());
  std::unique_lock<std::mutex> lock(mutex_);
  if (auto c = key ? find(*key) : nullptr) {
    lock.unlock();
    return kill_now(c);
  }
  auto* end = key ? ended_.find(*key) : nullptr;
  internal::ContainerExited answer;
  *answer.mutable_container_id() = request.container_id();
  if (end != nullptr && std::holds_alternative<internal::ContainerExited>(end->last)) {
    answer = std::get<internal::ContainerExited>(end->last);
  }
  lock.unlock();
  listen_(answer);
}

void containerizer::release(const internal::ReleaseContainer& request) {
  if (auto key = container_key(request.container_id())) release_end(*key);
}

void containerizer::keep(const internal::KeepContainers& request) {
  std::set<std::string> wanted;
  for (const auto& id : request.container_ids()) {
    if (auto key = container_key(id)) wanted.insert(*key);
  }
  std::unique_lock<std::mutex> lock(mutex_);
  auto running = containers_;
  auto ended = ended_.kept();
  lock.unlock();
  for (const auto& key : ended) {
    if (wanted.count(key) == 0) release_end(key);
  }
  for (const auto& [key, c] : running) {
    if (wanted.count(key) != 0) continue;
    spdlog::warn("container.unknown_to_agent container={}", key);
    release_end(key);
    kill_now(c);
  }
}

/// Of a container that runs, once it has ended.
void containerizer::release_end(const std::string& key) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (auto c = find(key)) c->released = true;
    if (!ended_.release(key)) return;
  }
  remove_files(files_of(options_.runtime_directory, key));
}

void containerizer::kill_now(const container_ptr& c) {
  groups_.kill_all(c->key);
  std::lock_guard<std::mutex> lock(mutex_);
  c->destroyed = true;
  if (!c->shim.process || c->shim_ended) return;
  signal_process(c->shim.process, SIGTERM);
  if (!std::exchange(c->kill_sent, true)) poller_.after(options_.shim_end_max, [this, c] { escalate(c); });
}

/// The shim has had its time: it may have been stopped by the task.
void containerizer::escalate(const container_ptr& c) {
  groups_.kill_all(c->key);
  std::lock_guard<std::mutex> lock(mutex_);
  if (c->shim_ended) return;
  spdlog::warn("container.shim_killed container={} waited_ms={}", c->key, options_.shim_end_max.count());
  signal_process(c->shim.process, SIGKILL);
}

}  // namespace troupe
