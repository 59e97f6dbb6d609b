#include "tools/run_scheduler.hpp"

#include "frameworks/sdk/http_get.hpp"
#include "protocol/task_state.hpp"

namespace troupe {

namespace {

/// Lost before it did anything: safe to start again under a new id.
bool never_ran(const v1::TaskStatus& status) {
  return status.state() == v1::TASK_DROPPED ||
         (status.state() == v1::TASK_LOST && status.reason() == v1::TaskStatus::REASON_INVALID_OFFERS);
}

std::string url_of(const v1::Offer& offer) {
  const auto& address = offer.url().address();
  const auto& host = address.ip().empty() ? address.hostname() : address.ip();
  return sdk::http_url(host, address.port(), offer.url().scheme());
}

}  // namespace

run_scheduler::run_scheduler(run_request request, std::function<void(const run_instance&)> changed)
    : request_(std::move(request)), changed_(std::move(changed)) {
  for (unsigned i = request_.instances; i > 0; --i) {
    run_instance instance;
    instance.index = i - 1;
    instance.task = task_id(request_.instances == 1 ? request_.name : request_.name + "." + std::to_string(i - 1));
    waiting_.push_back(instance.task);
    instances_.emplace(instance.task, std::move(instance));
  }
}

v1::FrameworkInfo run_scheduler::describe() const {
  v1::FrameworkInfo info;
  info.set_user(request_.user);
  info.set_name("troupe run " + request_.name);
  info.add_roles(request_.role);
  info.set_failover_timeout(0);  // when the terminal is gone so are the tasks
  info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
  info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
  info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::TASK_KILLING_STATE);
  info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::RESERVATION_REFINEMENT);
  return info;
}

unsigned run_scheduler::fitting(const v1::Offer& offer) const {
  auto offered = resources::from(offer.resources());
  if (!offered) return 0;
  auto left = offered->unallocated().allocatable_to(request_.role).nonrevocable();
  unsigned count = 0;
  while (count < waiting_.size()) {
    auto part = left.find_scalars(request_.needs.amounts());
    if (!part) break;
    left -= *part;
    ++count;
  }
  return count;
}

v1::TaskInfo run_scheduler::task_of(const run_instance& instance) const {
  v1::TaskInfo task;
  task.set_name(request_.name);
  *task.mutable_task_id() = instance.task.proto();
  *task.mutable_command() = request_.command;
  request_.needs.add_to(task.mutable_resources());
  for (const auto& [name, limit] : request_.limits) (*task.mutable_limits())[name] = limit;
  task.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(request_.kill_grace.count());
  return task;
}

void run_scheduler::launch(sdk::calls& call, const v1::Offer& offer, unsigned count) {
  std::vector<v1::TaskInfo> tasks;
  for (; count > 0; --count) {
    auto& instance = instances_.at(waiting_.back());
    waiting_.pop_back();
    instance.launched = true;
    instance.framework = call.framework();
    instance.agent_url = url_of(offer);
    instance.agent_hostname = offer.hostname();
    *instance.status.mutable_agent_id() = offer.agent_id();
    instance.status.set_state(v1::TASK_STAGING);
    changed_(instance);
    tasks.push_back(task_of(instance));
  }
  call.launch(offer, std::move(tasks));
}

void run_scheduler::on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) {
  for (const auto& offer : offers) {
    if (unsigned count = fitting(offer); count > 0)
      launch(call, offer, count);
    else
      call.decline(offer, waiting_.empty() ? std::chrono::hours(1) : std::chrono::seconds(5));
  }
  if (waiting_.empty()) call.suppress();
}

/// A task id is never used twice: the next attempt has a name of its own.
void run_scheduler::retry(run_instance& instance) {
  run_instance next;
  next.index = instance.index;
  next.task = task_id(instance.task.value() + "~" + std::to_string(++attempts_));
  waiting_.push_back(next.task);
  instances_.erase(instance.task);
  instances_.emplace(next.task, std::move(next));
}

void run_scheduler::on_status(sdk::calls& call, const v1::TaskStatus& status) {
  auto it = instances_.find(task_id(status.task_id()));
  if (it == instances_.end() || is_terminal(it->second.status.state())) return;
  auto& instance = it->second;
  if (!may_follow(instance.status.state(), status.state()) && status.reason() != v1::TaskStatus::REASON_RECONCILIATION)
    return;
  instance.status = status;
  if (never_ran(status) && !interrupted_) {
    retry(instance);
    call.revive();
    return;
  }
  changed_(instance);
  end_if_done(call);
}

void run_scheduler::on_error(sdk::calls&, const std::string& message) {
  refusal_ = message;
}

void run_scheduler::on_program_event(sdk::calls& call, const std::string& name, const std::string&) {
  if (name != "interrupt" || interrupted_) return;
  interrupted_ = true;
  waiting_.clear();
  for (const auto& [task, instance] : instances_)
    if (instance.launched && !is_terminal(instance.status.state())) call.kill(task);
  end_if_done(call);
}

/// Nobody waits for an agent that is away once it is to be the end anyway: it ends the tasks when it returns.
bool run_scheduler::is_over(v1::TaskState state) const {
  return is_terminal(state) || (interrupted_ && state == v1::TASK_UNREACHABLE);
}

void run_scheduler::end_if_done(sdk::calls& call) {
  if (!waiting_.empty()) return;
  for (const auto& [task, instance] : instances_)
    if (instance.launched && !is_over(instance.status.state())) return;
  call.teardown(0);
}

}  // namespace troupe
