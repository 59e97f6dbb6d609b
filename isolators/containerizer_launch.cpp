#include "isolators/containerizer.hpp"
#include "isolators/process_table.hpp"
#include "isolators/sandbox.hpp"
#include "isolators/small_file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>

/// From the request to exec, or to the reason why there was none.
namespace troupe {
namespace {

container_event launch_failed(const v1::ContainerID& id, const std::string& message) {
  internal::ContainerLaunchFailed failed;
  *failed.mutable_container_id() = id;
  failed.set_message(message);
  return failed;
}

container_event never_known(const v1::ContainerID& id) {
  internal::ContainerExited exited;
  *exited.mutable_container_id() = id;
  return exited;
}

void add_if_absent(std::vector<resource_limit>& limits, const resource_limit& limit) {
  for (const auto& present : limits) {
    if (present.resource == limit.resource) return;
  }
  limits.push_back(limit);
}

}  // namespace

void containerizer::launch(const internal::LaunchContainer& request) {
  auto key = container_key(request.container_id());
  if (!key) return listen_(launch_failed(request.container_id(), key.error().message));
  auto c = std::make_shared<container>();
  c->id = request.container_id();
  c->key = *key;
  if (answer_repeated(*key)) return;
  if (request.only_if_known()) return listen_(never_known(c->id));
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!containers_.emplace(*key, c).second) return;  // another thread was quicker, and answers
  }
  auto ready = prepare(*c, request);
  if (ready) ready = start_in(*c);
  if (ready) return watch(c);
  groups_.remove(c->key);
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
  add_if_absent(plan->limits, descriptor_limit_.before());
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
    launched.mutable_launched_at()->set_nanoseconds(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count());
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

}  // namespace troupe
