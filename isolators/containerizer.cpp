#include "isolators/containerizer.hpp"

#include "isolators/process_table.hpp"
#include "isolators/recovery.hpp"
#include "isolators/sandbox.hpp"
#include "isolators/small_file.hpp"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace troupe {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds shim_end_max{5'000};
constexpr milliseconds clearing_pause{5};
constexpr int clearings_max = 12'000;  // a minute
constexpr std::size_t report_bytes_max = 4'096;

/// Stable for a directory, different for two: FNV-1a, 64 bits.
std::string tag_of(const std::string& directory) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char c : directory) hash = (hash ^ c) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

void remove_files(const container_files& files) {
  std::error_code failure;
  std::filesystem::remove_all(files.directory, failure);
  if (failure) spdlog::warn("container.files_not_removed path={} error=\"{}\"", files.directory, failure.message());
}

container_event launch_failed(const v1::ContainerID& id, const std::string& message) {
  internal::ContainerLaunchFailed failed;
  *failed.mutable_container_id() = id;
  failed.set_message(message);
  return failed;
}

/// Reads what there is of the report. True: it is at its end.
bool read_report(container& c) {
  char chunk[512];
  for (;;) {
    auto size = ::read(c.shim.report.get(), chunk, sizeof chunk);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0 || errno != EAGAIN;
    if (c.report.size() < report_bytes_max) c.report.append(chunk, static_cast<std::size_t>(size));
  }
}

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

void signal_task(const internal::ContainerLaunched& task, int number) {
  process_identity leader{task.pid(), task.start_time()};
  // The group keeps the number from being given away while a member lives; an ended group is nobody.
  if (is_alive(leader)) ::kill(-leader.pid, number);
}

}  // namespace

result<std::unique_ptr<containerizer>> containerizer::start(const containerizer_options& options, listener listen) {
  auto settled = options;
  if (settled.cgroups.tag.empty()) settled.cgroups.tag = tag_of(options.runtime_directory);
  auto groups = cgroups::detect(settled.cgroups);
  auto cleared = clear_leftovers(settled.runtime_directory, groups);
  if (!cleared) return cleared.error();
  return std::unique_ptr<containerizer>(new containerizer(settled, std::move(listen), std::move(groups)));
}

containerizer::containerizer(const containerizer_options& options, listener listen, class cgroups groups)
    : options_(options), listen_(std::move(listen)), groups_(std::move(groups)), boot_id_(boot_id()) {}

containerizer::~containerizer() {
  std::unique_lock<std::mutex> lock(mutex_);
  auto running = containers_;
  lock.unlock();
  for (const auto& [key, c] : running) kill_now(c);
  lock.lock();
  // Bounded: a process that the kernel does not let go must not hold up the agent's end.
  all_ended_.wait_for(lock, 3 * shim_end_max, [this] { return containers_.empty(); });
  for (const auto& [key, c] : containers_) spdlog::error("container.not_ended container={}", key);
  lock.unlock();
  groups_.remove_own();
}

containerizer::container_ptr containerizer::find(const std::string& key) const {
  auto it = containers_.find(key);
  return it == containers_.end() ? nullptr : it->second;
}

// --- launching
// ----------------------------------------------------------------------------------------------------------------

void containerizer::launch(const internal::LaunchContainer& request) {
  auto key = container_key(request.container_id());
  if (!key) return listen_(launch_failed(request.container_id(), key.error().message));
  auto c = std::make_shared<container>();
  c->id = request.container_id();
  c->key = *key;
  if (answer_repeated(*key)) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!containers_.emplace(*key, c).second) return;  // another thread was quicker, and answers
  }
  auto ready = prepare(*c, request);
  if (ready) ready = start_in(*c);
  if (ready) return watch(c);
  groups_.remove(c->key);
  remove_files(c->plan.files);
  finish(c, launch_failed(c->id, ready.error().message));
}

bool containerizer::answer_repeated(const std::string& key) {
  std::vector<container_event> answers;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto c = find(key);
    auto* end = ended_.find(key);
    if (!c && !end) return false;
    if (c && c->launched) answers.push_back(*c->launched);
    if (!c && end->launched) answers.push_back(*end->launched);
    if (!c) answers.push_back(end->last);
  }
  for (const auto& answer : answers) listen_(answer);
  return true;
}

result<void> containerizer::prepare(container& c, const internal::LaunchContainer& request) {
  c.plan.files = files_of(options_.runtime_directory, c.key);
  auto user = find_user(request.command().has_user() ? request.command().user() : request.user());
  if (!user) return user.error();
  auto plan = plan_launch(request, *user);
  if (!plan) return plan.error();
  auto limits = limits_of(request);
  if (!limits) return limits.error();
  auto isolation = groups_.plan(c.key, *limits);
  plan->files = c.plan.files;
  plan->boot_id = boot_id_;
  plan->join = isolation.join;
  c.plan = std::move(*plan);
  auto made = make_sandbox(c.plan.sandbox, c.plan.user);
  if (!made) return made;
  if (::mkdir(c.plan.files.directory.c_str(), 0700) != 0) return system_error("make", c.plan.files.directory, errno);
  return groups_.carry_out(isolation);
}

result<void> containerizer::start_in(container& c) {
  auto text = flat_form(c.plan);
  if (!text) return text.error();
  c.memory_event = groups_.watch_memory(c.key);
  auto shim = start_shim(options_.shim_path, c.key, *text);
  if (!shim) return shim.error();
  std::lock_guard<std::mutex> lock(mutex_);
  c.shim = std::move(*shim);
  return {};
}

void containerizer::watch(const container_ptr& c) {
  bool destroyed = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    c->report_watch = poller_.watch(c->shim.report.get(), [this, c] { on_report(c); });
    c->shim_watch = poller_.watch(c->shim.process.get(), [this, c] { on_shim_ended(c); });
    if (c->memory_event) c->memory_watch = poller_.watch(c->memory_event.get(), [this, c] { on_out_of_memory(c); });
    destroyed = c->destroyed;
  }
  if (destroyed) kill_now(c);
}

void containerizer::on_report(const container_ptr& c) {
  if (read_report(*c)) conclude_report(c);
}

/// The report is complete, or will never be more than it is.
void containerizer::conclude_report(const container_ptr& c) {
  auto report = parse_shim_report(c->report);
  std::vector<int> signals;
  std::unique_lock<std::mutex> lock(mutex_);
  poller_.forget(c->report_watch);
  c->report_done = true;
  c->shim.report.close();
  if (!report || (report->failed_step.empty() && !report->started)) {
    c->failure = "the shim ended before the task began";
  } else if (!report->failed_step.empty()) {
    c->failure = explain_failure(c->plan, *report);
  } else {
    auto& launched = c->launched.emplace();
    *launched.mutable_container_id() = c->id;
    launched.set_pid(report->started->pid);
    launched.set_start_time(report->started->start_time);
    signals.swap(c->early_signals);
  }
  auto files = c->plan.files;
  c->plan = {};
  c->plan.files = files;
  if (!c->launched) return;
  auto launched = *c->launched;
  lock.unlock();
  listen_(launched);
  for (int number : signals) signal_task(launched, number);
}

// --- while it runs
// ------------------------------------------------------------------------------------------------------------

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

void containerizer::kill_now(const container_ptr& c) {
  groups_.kill_all(c->key);
  std::lock_guard<std::mutex> lock(mutex_);
  bool again = c->destroyed && c->kill_sent;
  c->destroyed = true;
  if (!c->shim.process || c->shim_ended) return;
  c->kill_sent = true;
  signal_process(c->shim.process, SIGTERM);
  if (!again) poller_.after(shim_end_max, [this, c] { escalate(c); });
}

/// The shim has had its time: it may have been stopped by the task.
void containerizer::escalate(const container_ptr& c) {
  groups_.kill_all(c->key);
  std::lock_guard<std::mutex> lock(mutex_);
  if (c->shim_ended) return;
  spdlog::warn("container.shim_killed container={} waited_ms={}", c->key, shim_end_max.count());
  signal_process(c->shim.process, SIGKILL);
}

void containerizer::on_out_of_memory(const container_ptr& c) {
  c->out_of_memory = true;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    poller_.forget(c->memory_watch);
  }
  spdlog::info("container.out_of_memory container={}", c->key);
  kill_now(c);
}

// --- its end
// ------------------------------------------------------------------------------------------------------------------

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
  remove_files(c->plan.files);
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

void containerizer::finish(const container_ptr& c, container_event last) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ended_.add(c->key, {c->launched, last});
    containers_.erase(c->key);
    all_ended_.notify_all();
  }
  listen_(last);
}

}  // namespace troupe
