#include "tests/soak/soak_scheduler.hpp"

#include "protocol/task_state.hpp"
#include "storage/records.hpp"

#include <algorithm>

namespace troupe::soak {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kills_again = milliseconds(300);
const char* const counter_key = "~launched";  // after every task by name
const char* const executor_name = "soak";

const resources& task_needs() {
  static const resources needs = resources::parse("cpus:0.1;mem:32").value();
  return needs;
}

const resources& executor_needs() {
  static const resources needs = resources::parse("cpus:0.1;mem:256").value();
  return needs;
}

char kind_of(const std::string& task) {
  return task.at(task.find('.') + 1);
}

}  // namespace

soak_scheduler::soak_scheduler(soak_plan plan, line_file& told) : plan_(std::move(plan)), told_(told) {}

void soak_scheduler::say(const sdk::calls& call, const std::string& line) {
  auto now = std::chrono::duration_cast<milliseconds>(call.now().now.time_since_epoch());
  told_.add(std::to_string(now.count()) + " " + line);
}

v1::FrameworkInfo soak_scheduler::describe() const {
  v1::FrameworkInfo info;
  info.set_name(plan_.name);
  info.set_user(plan_.user);
  info.set_failover_timeout(600);
  info.set_checkpoint(true);
  info.add_roles("*");
  for (auto capability : {v1::FrameworkInfo::Capability::MULTI_ROLE, v1::FrameworkInfo::Capability::PARTITION_AWARE})
    info.add_capabilities()->set_type(capability);
  return info;
}

void soak_scheduler::remember(const std::string& key, std::string_view record) {
  v1::TaskStatus found;
  if (!decode_record(record, found)) return;
  if (key == counter_key) {
    launched_ = std::stoull(found.message());
    return;
  }
  live_[key] = found;
  told_.add("0 remembered " + key + " " + std::string(short_name(found.state())));
}

void soak_scheduler::on_subscribed(sdk::calls& call) {
  say(call, "subscribed " + call.framework().value());
  unsure_.clear();
  std::vector<v1::TaskStatus> questions;
  for (const auto& [id, last] : live_) {
    unsure_.insert(id);
    questions.push_back(last);
  }
  if (questions.empty())
    say(call, "sure");
  else
    call.reconcile(questions);
  kill_running(call);
}

void soak_scheduler::on_disconnected(sdk::calls& call) {
  say(call, "disconnected");
}

/// Said again until it has ended: a kill may be lost on its way.
void soak_scheduler::kill_running(sdk::calls& call) {
  for (const auto& [id, last] : live_) {
    if (kind_of(id) != 'K' || last.state() != v1::TASK_RUNNING) continue;
    say(call, "kill " + id);
    call.kill(task_id(id), agent_id(last.agent_id()));
    call.wake_at(call.now().now + kills_again);
  }
}

void soak_scheduler::on_timer(sdk::calls& call) {
  kill_running(call);
}

unsigned soak_scheduler::live(char kind) const {
  return static_cast<unsigned>(
      std::count_if(live_.begin(), live_.end(), [kind](const auto& entry) { return kind_of(entry.first) == kind; }));
}

unsigned soak_scheduler::longs_on(const std::string& agent) const {
  return static_cast<unsigned>(std::count_if(live_.begin(), live_.end(), [&](const auto& entry) {
    return kind_of(entry.first) == 'L' && entry.second.agent_id().value() == agent;
  }));
}

bool soak_scheduler::wants_short() const {
  return live('S') + live('K') < plan_.shorts && (plan_.total == 0 || launched_ < plan_.total);
}

std::string soak_scheduler::command_of(const std::string& task, char kind) const {
  if (plan_.witness.empty()) return plan_.short_command;
  const std::string work =
      kind == 'S' ? plan_.short_command + "; say end" : "n=0; while :; do sleep 2; n=$((n+1)); say beat $n; done";
  return "say() { echo \"" + task + " $*\" >>'" + plan_.witness +
         "'; }; read -r line </proc/$$/stat; line=${line##*) }; set -- $line; shift 19; say start $$ $1 $PPID; " + work;
}

bool soak_scheduler::add_task(sdk::calls& call, share& of, char kind) {
  auto needs = task_needs();
  if (plan_.custom && !of.executor_runs) needs += executor_needs();
  auto taken = of.left.find_scalars(needs.amounts());
  if (!taken) return false;
  of.left -= *taken;
  of.executor_runs = true;
  auto id = plan_.name + "." + kind + "." + std::to_string(++launched_);
  auto& last = live_[id];
  last.mutable_task_id()->set_value(id);
  *last.mutable_agent_id() = of.offer.agent_id();
  last.set_state(v1::TASK_STAGING);
  call.put(id, last);
  v1::TaskInfo& task = of.tasks.emplace_back();
  task.set_name(plan_.name);
  *task.mutable_task_id() = last.task_id();
  task_needs().add_to(task.mutable_resources());
  if (plan_.custom) {
    auto& executor = *task.mutable_executor();
    executor.mutable_executor_id()->set_value(executor_name);
    executor.set_name(executor_name);
    executor.set_type(v1::ExecutorInfo::CUSTOM);
    executor.mutable_command()->set_value(plan_.executor);
    executor_needs().add_to(executor.mutable_resources());
    task.set_data(command_of(id, kind));
  } else {
    task.mutable_command()->set_value(command_of(id, kind));
  }
  say(call, "launch " + id + " " + of.offer.agent_id().value());
  return true;
}

void soak_scheduler::on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) {
  const auto longs_on_one = (plan_.longs + plan_.spread - 1) / plan_.spread;
  for (const auto& offer : offers) {
    auto offered = resources::from(offer.resources());
    share of{offer, offered ? offered->unallocated() : resources(), false, {}};
    of.executor_runs = std::any_of(offer.executor_ids().begin(), offer.executor_ids().end(),
                                   [](const auto& id) { return id.value() == executor_name; });
    while (live('L') < plan_.longs && longs_on(offer.agent_id().value()) < longs_on_one && add_task(call, of, 'L')) {
    }
    while (wants_short() && add_task(call, of, plan_.kill_every && launched_ % plan_.kill_every == 0 ? 'K' : 'S')) {
    }
    if (of.tasks.empty()) {
      call.decline(offer, std::chrono::seconds(1));
      continue;
    }
    v1::TaskStatus counter;
    counter.mutable_task_id()->set_value(counter_key);
    counter.set_state(v1::TASK_STAGING);
    counter.set_message(std::to_string(launched_));
    call.put(counter_key, counter);
    v1::Filters filters;
    filters.set_refuse_seconds(0);
    call.launch(offer, std::move(of.tasks), filters);
  }
}

void soak_scheduler::on_status(sdk::calls& call, const v1::TaskStatus& status) {
  const auto& id = status.task_id().value();
  say(call, "told " + id + " " + std::string(short_name(status.state())) + " " +
                (status.has_reason() ? v1::TaskStatus::Reason_Name(status.reason()) : "-"));
  auto known = live_.find(id);
  if (known == live_.end()) return;  // its end is heard again
  bool was_unsure = status.state() != v1::TASK_UNKNOWN && unsure_.erase(id) != 0;
  if (was_unsure && unsure_.empty()) say(call, "sure");
  if (!is_terminal(status.state())) {
    known->second.set_state(status.state());
    call.put(id, known->second);
    if (kind_of(id) == 'K') kill_running(call);
    return;
  }
  live_.erase(known);
  call.erase(id);
  if (plan_.total != 0 && launched_ >= plan_.total && live_.empty())
    call.stop(0);
  else if (wants_short() || live('L') < plan_.longs)
    call.revive();
}

void soak_scheduler::on_error(sdk::calls& call, const std::string& message) {
  say(call, "refused " + message);
}

void soak_scheduler::on_program_event(sdk::calls& call, const std::string& name, const std::string&) {
  if (name == "interrupt") call.teardown(0);
}

}  // namespace troupe::soak
