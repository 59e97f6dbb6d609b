#include "tools/sim/workload.hpp"

#include "protocol/task_state.hpp"
#include "storage/records.hpp"
#include "tools/sim/chance.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace troupe::sim {

namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

const char* const counter_key = "~numbered";  // after every task by name
const char* const executor_suffix = "-executor";
constexpr seconds kill_again{5};
constexpr std::size_t ended_kept = 16;

double in_seconds(nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

char kind_of(const std::string& task) {
  return task.at(task.find('.') + 1);
}

}  // namespace

workload::workload(workload_wish wish) : wish_(std::move(wish)), needs_(resources::parse(wish_.needs).value()) {}

v1::FrameworkInfo workload::describe() const {
  v1::FrameworkInfo info;
  info.set_name(wish_.name);
  info.set_user("somebody");
  info.set_failover_timeout(wish_.failover_timeout_s);
  info.set_checkpoint(true);
  info.add_roles(wish_.role);
  info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
  if (wish_.partition_aware) info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
  return info;
}

void workload::remember(const std::string& key, std::string_view record) {
  v1::TaskStatus found;
  if (!decode_record(record, found)) return;
  if (key == counter_key) {
    numbered_ = std::strtoull(found.message().c_str(), nullptr, 10);
    jobs_begun_ = std::strtoull(found.data().c_str(), nullptr, 10);
    return;
  }
  if (kind_of(key) == 'S' && live_.count(key) == 0) ++services_live_;
  live_[key] = found;
}

unsigned workload::live(char kind) const {
  return static_cast<unsigned>(
      std::count_if(live_.begin(), live_.end(), [kind](const auto& entry) { return kind_of(entry.first) == kind; }));
}

// --- what it wants ---------------------------------------------------------------------------------------------------

void workload::want_services(sdk::calls& call) {
  if (services_live_ >= wish_.services) return;
  const auto wanted = static_cast<unsigned>(
      std::count_if(wanted_.begin(), wanted_.end(), [](const waiting& w) { return w.kind == 'S'; }));
  for (auto n = services_live_ + wanted; n < wish_.services; ++n) wanted_.push_back({'S', call.now().now});
}

void workload::plan_job(sdk::calls& call) {
  if (jobs_begun_ >= wish_.jobs) return next_job_.reset();
  chance luck(call.now().random_seed);
  if (!next_job_) next_job_ = call.now().now + luck.around(wish_.between_jobs);
  call.wake_at(*next_job_);
}

void workload::rest_or_ask(sdk::calls& call) {
  if (leaving_) return;
  const bool rests = wanted_.empty() && wish_.suppresses;
  if (rests && !resting_) call.suppress();
  if (!rests && resting_) call.revive();
  resting_ = rests;
}

void workload::on_subscribed(sdk::calls& call) {
  if (leaving_) return call.teardown(0);
  hoard_.clear();
  std::vector<v1::TaskStatus> questions;
  for (const auto& [id, last] : live_) questions.push_back(last);
  if (!questions.empty()) call.reconcile(questions);
  resting_ = false;
  want_services(call);
  plan_job(call);
  kill_due(call);
  rest_or_ask(call);
}

void workload::on_disconnected(sdk::calls&) {
  hoard_.clear();
}

void workload::on_timer(sdk::calls& call) {
  if (next_job_ && call.now().now >= *next_job_) {
    next_job_.reset();
    for (auto more = std::min(wish_.jobs_at_once, wish_.jobs - jobs_begun_); more > 0; --more) {
      const bool is_killed = wish_.kills_one_in != 0 && jobs_begun_ % wish_.kills_one_in == 0;
      ++jobs_begun_;
      wanted_.push_back({is_killed ? 'K' : 'J', call.now().now});
    }
  }
  plan_job(call);
  give_back(call);
  kill_due(call);
  rest_or_ask(call);
}

// --- offers ----------------------------------------------------------------------------------------------------------

std::string workload::name_for(sdk::calls& call, char kind) {
  chance luck(call.now().random_seed + numbered_);
  if (wish_.reuses_ids_one_in != 0 && !ended_.empty() && luck.below(wish_.reuses_ids_one_in) == 0) {
    const auto again = ended_[luck.below(ended_.size())];
    ended_.erase(std::find(ended_.begin(), ended_.end(), again));
    if (kind_of(again) == kind) return again;
  }
  v1::TaskStatus counter;
  counter.mutable_task_id()->set_value(counter_key);
  counter.set_state(v1::TASK_STAGING);
  counter.set_message(std::to_string(++numbered_));
  counter.set_data(std::to_string(jobs_begun_));
  call.put(counter_key, counter);
  return wish_.name + "." + kind + "." + std::to_string(numbered_);
}

v1::TaskInfo workload::task_for(sdk::calls& call, const waiting& wanted, const v1::Offer& offer) {
  const auto id = name_for(call, wanted.kind);
  if (wanted.kind == 'S') ++services_live_;
  auto& last = live_[id];
  last.mutable_task_id()->set_value(id);
  *last.mutable_agent_id() = offer.agent_id();
  last.set_state(v1::TASK_STAGING);
  call.put(id, last);  // durable before the launch leaves
  chance luck(call.now().random_seed + numbered_ + 1);
  const auto is_service = wanted.kind == 'S';
  std::string lasts = std::to_string(in_seconds(luck.around(wish_.job_lasts)));
  if (is_service)
    lasts = wish_.services_end_after_s == 0
                ? "1000000"
                : std::to_string(in_seconds(luck.around(seconds(wish_.services_end_after_s))));
  if (wanted.kind == 'K') lasts = "1000000";
  v1::TaskInfo task;
  task.set_name(wish_.name);
  *task.mutable_task_id() = last.task_id();
  needs_.add_to(task.mutable_resources());
  if (!wish_.custom_executor) {
    task.mutable_command()->set_value("sleep " + lasts);
    return task;
  }
  auto& executor = *task.mutable_executor();
  executor.mutable_executor_id()->set_value(wish_.name + executor_suffix);
  executor.set_name(wish_.name);
  executor.set_type(v1::ExecutorInfo::CUSTOM);
  executor.mutable_command()->set_value(wish_.name + executor_suffix);
  resources::parse("cpus:0.1;mem:32").value().add_to(executor.mutable_resources());
  task.set_data(lasts);
  return task;
}

void workload::on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) {
  std::vector<offer_id> unused;
  for (const auto& offer : offers) {
    if (wish_.declines_everything || leaving_) {
      unused.emplace_back(offer.id());
      continue;
    }
    if (wanted_.empty() && wish_.hoards.count() == 0) {
      unused.emplace_back(offer.id());
      continue;
    }
    auto left = resources::from(offer.resources()).value().unallocated();
    std::vector<v1::TaskInfo> tasks;
    auto needs = needs_;
    const bool has_executor = std::any_of(offer.executor_ids().begin(), offer.executor_ids().end(),
                                          [&](const auto& id) { return id.value() == wish_.name + executor_suffix; });
    if (wish_.custom_executor && !has_executor) needs += resources::parse("cpus:0.1;mem:32").value();
    for (std::optional<resources> share; !wanted_.empty() && (share = left.find_scalars(needs.amounts()));) {
      left -= *share;
      needs = needs_;
      const auto first = wanted_.front();
      wanted_.pop_front();
      waits_.push_back(call.now().now - first.since);
      tasks.push_back(task_for(call, first, offer));
    }
    if (!tasks.empty()) {
      call.launch(offer, std::move(tasks));
    } else if (wish_.hoards.count() > 0) {
      hoard_[offer.id().value()] = {offer, call.now().now + wish_.hoards};
    } else {
      unused.emplace_back(offer.id());
    }
  }
  call.decline(unused, std::chrono::duration_cast<std::chrono::milliseconds>(wish_.refuse));
  give_back(call);
  rest_or_ask(call);
}

void workload::give_back(sdk::calls& call) {
  for (auto it = hoard_.begin(); it != hoard_.end();) {
    if (it->second.second > call.now().now) {
      call.wake_at(it->second.second);
      ++it;
      continue;
    }
    call.decline(it->second.first);
    it = hoard_.erase(it);
  }
}

void workload::on_rescinded(sdk::calls&, const offer_id& offer) {
  hoard_.erase(offer.value());
}

// --- tasks -----------------------------------------------------------------------------------------------------------

void workload::on_status(sdk::calls& call, const v1::TaskStatus& status) {
  const auto& id = status.task_id().value();
  const auto known = live_.find(id);
  if (known == live_.end()) {
    // Its end is heard again; or it was lost, was given up, and has come back.
    if (!is_terminal(status.state()) && status.state() != v1::TASK_UNKNOWN && status.has_agent_id())
      call.kill(task_id(status.task_id()), agent_id(status.agent_id()));
    return;
  }
  if (!is_terminal(status.state())) {
    known->second.set_state(status.state());
    if (status.has_agent_id()) *known->second.mutable_agent_id() = status.agent_id();
    call.put(id, known->second);
    if (kind_of(id) == 'K' && status.state() == v1::TASK_RUNNING && to_kill_.count(id) == 0)
      to_kill_[id] = call.now().now;
    return kill_due(call);
  }
  if (status.state() == v1::TASK_FINISHED) ++finished_;
  const auto kind = kind_of(id);
  if (kind == 'S') --services_live_;
  live_.erase(known);
  to_kill_.erase(id);
  call.erase(id);
  ended_.push_back(id);
  if (ended_.size() > ended_kept) ended_.erase(ended_.begin());
  if (kind == 'S') want_services(call);
  rest_or_ask(call);
}

/// Said again until it has ended: a kill may be lost on its way to the master.
void workload::kill_due(sdk::calls& call) {
  for (auto& [id, due] : to_kill_) {
    const auto known = live_.find(id);
    if (known == live_.end()) continue;
    if (due <= call.now().now) {
      call.kill(task_id(id), agent_id(known->second.agent_id()));
      due = call.now().now + kill_again;
    }
    call.wake_at(due);
  }
}

void workload::on_program_event(sdk::calls& call, const std::string& name, const std::string&) {
  if (name != "leave") return;
  leaving_ = true;
  call.teardown(0);
}

void workload::on_error(sdk::calls& call, const std::string& message) {
  call.log("workload.refused framework=" + wish_.name + " message=" + message);
}

// --- executor --------------------------------------------------------------------------------------------------------

void timed_executor::begin(const v1::TaskInfo& task) {
  running_[task.task_id().value()] = true;
  wake_(task.task_id().value(),
        nanoseconds(static_cast<std::int64_t>(std::strtod(task.data().c_str(), nullptr) * 1e9)));
}

void timed_executor::on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) {
  begin(task);
  call.update(task.task_id(), v1::TASK_RUNNING);
}

void timed_executor::on_recovered(sdk::executor_calls&, const std::vector<v1::TaskInfo>& tasks) {
  for (const auto& task : tasks) begin(task);
}

void timed_executor::on_kill(sdk::executor_calls& call, const task_id& task) {
  if (running_.erase(task.value()) != 0) call.update(task, v1::TASK_KILLED, "killed on request");
}

void timed_executor::on_program_event(sdk::executor_calls& call, const std::string& name, const std::string& task) {
  if (name == "over" && running_.erase(task) != 0) call.update(task_id(task), v1::TASK_FINISHED);
}

void timed_executor::on_shutdown(sdk::executor_calls& call) {
  for (const auto& [task, on] : running_) call.update(task_id(task), v1::TASK_KILLED, "the executor was shut down");
  running_.clear();
}

}  // namespace troupe::sim
