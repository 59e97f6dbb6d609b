#include "tools/emulator/load_scheduler.hpp"

#include "protocol/task_state.hpp"
#include "storage/records.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace troupe {

namespace {

std::chrono::nanoseconds seconds(double value) {
  return std::chrono::nanoseconds(std::llround(value * 1e9));
}

}  // namespace

load_scheduler::load_scheduler(load_wish wish, std::shared_ptr<load_figures> figures)
    : wish_(std::move(wish)), figures_(std::move(figures)) {}

v1::FrameworkInfo load_scheduler::describe() const {
  v1::FrameworkInfo info;
  info.set_name(wish_.name);
  info.set_user(wish_.user);
  info.add_roles(wish_.role);
  info.set_failover_timeout(0);
  for (auto capability : {v1::FrameworkInfo::Capability::MULTI_ROLE, v1::FrameworkInfo::Capability::PARTITION_AWARE,
                          v1::FrameworkInfo::Capability::RESERVATION_REFINEMENT})
    info.add_capabilities()->set_type(capability);
  return info;
}

void load_scheduler::remember(const std::string& key, std::string_view record) {
  v1::TaskStatus status;
  if (decode_record(record, status)) open_[key] = task{};
}

void load_scheduler::on_subscribed(sdk::calls& call) {
  std::vector<v1::TaskStatus> unsure;
  for (const auto& [id, task] : open_) unsure.emplace_back().mutable_task_id()->set_value(id);
  if (!unsure.empty()) call.reconcile(unsure);
  resting_ = false;
  const auto now = call.now().now;
  if (by_the_clock()) {
    if (!next_) next_ = now + seconds(wish_.first_after_s);
    call.wake_at(*next_);
  } else {
    for (auto known = open_.size() + wanted_.size(); known < wish_.at_once; ++known) wanted_.push_back(now);
  }
  ask_or_rest(call);
}

std::size_t load_scheduler::room() const {
  const auto unbounded = std::numeric_limits<std::size_t>::max();
  const auto left = wish_.in_all > 0 ? wish_.in_all - std::min(launched_, wish_.in_all) : unbounded;
  const bool bounded = by_the_clock() || wish_.at_once > 0;
  return std::min(left, bounded ? wanted_.size() : unbounded);
}

void load_scheduler::on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) {
  for (const auto& offer : offers) {
    auto offered = resources::from(offer.resources());
    auto left = offered ? offered->unallocated().allocatable_to(wish_.role).nonrevocable() : resources();
    std::vector<v1::TaskInfo> tasks;
    for (std::optional<resources> share; room() > 0 && (share = left.find_scalars(wish_.needs.amounts()));) {
      left -= *share;
      tasks.push_back(next_task(call));
    }
    if (tasks.empty()) {
      // Nobody comes back for what is too small; what is not wanted now is asked for when it is.
      call.decline(offer, room() == 0 ? std::chrono::hours(1) : std::chrono::seconds(5));
      continue;
    }
    call.launch(offer, std::move(tasks));
  }
  ask_or_rest(call);
}

v1::TaskInfo load_scheduler::next_task(sdk::calls& call) {
  const auto now = call.now().now;
  task added;
  added.launched = now;
  added.wanted = now;
  if (!wanted_.empty()) {
    added.wanted = wanted_.front();
    wanted_.pop_front();
  }
  // The incarnation keeps ids of earlier ones apart: one is never used twice.
  const auto id = wish_.name + "." + std::to_string(call.now().incarnation) + "." + std::to_string(++launched_);
  v1::TaskStatus staging;
  staging.mutable_task_id()->set_value(id);
  staging.set_state(v1::TASK_STAGING);
  call.put(id, staging);
  open_.emplace(id, added);
  figures_->note([](load_counts& counts) { ++counts.launched; });

  v1::TaskInfo info;
  info.set_name("emulated");
  info.mutable_task_id()->set_value(id);
  info.mutable_command()->set_value("true");
  wish_.needs.add_to(info.mutable_resources());
  for (std::size_t i = 0; i < wish_.labels; ++i) {
    auto& label = *info.mutable_labels()->add_labels();
    label.set_key("label-" + std::to_string(i));
    label.set_value("value-" + std::to_string(i));
  }
  return info;
}

void load_scheduler::on_status(sdk::calls& call, const v1::TaskStatus& status) {
  const auto& id = status.task_id().value();
  const auto known = open_.find(id);
  if (known == open_.end()) return;  // heard twice
  const auto now = call.now().now;
  if (status.state() == v1::TASK_RUNNING && !std::exchange(known->second.running, true)) {
    figures_->note([&](load_counts& counts) {
      ++counts.running;
      if (known->second.launched) counts.to_running.add(now - *known->second.launched);
      if (known->second.wanted) counts.from_wish.add(now - *known->second.wanted);
    });
  }
  // Of an earlier incarnation's launches some may never have reached the master.
  const bool never_arrived = status.state() == v1::TASK_UNKNOWN;
  if (!is_terminal(status.state()) && !never_arrived) return;
  count_end(status, known->second, now);
  open_.erase(known);
  call.erase(id);
  if (spent()) {
    if (open_.empty()) call.teardown(0);
    return;
  }
  if (!by_the_clock() && open_.size() + wanted_.size() < wish_.at_once) wanted_.push_back(now);
  ask_or_rest(call);
}

void load_scheduler::count_end(const v1::TaskStatus& status, const task& ended, monotonic_time now) {
  figures_->note([&](load_counts& counts) {
    if (status.state() == v1::TASK_FINISHED)
      ++counts.finished;
    else if (status.state() == v1::TASK_FAILED)
      ++counts.failed;
    else if (status.state() == v1::TASK_KILLED)
      ++counts.killed;
    else
      ++counts.lost;
    if (ended.launched) counts.to_end.add(now - *ended.launched);
  });
}

void load_scheduler::on_timer(sdk::calls& call) {
  if (!next_) return;
  const auto pause = seconds(1 / wish_.per_second);
  for (; *next_ <= call.now().now; *next_ += pause) wanted_.push_back(*next_);
  call.wake_at(*next_);
  ask_or_rest(call);
}

/// Whoever wants nothing is offered nothing.
void load_scheduler::ask_or_rest(sdk::calls& call) {
  const bool wants = room() > 0;
  if (wants && resting_) call.revive();
  if (!wants && !resting_) call.suppress();
  resting_ = !wants;
}

void load_scheduler::on_error(sdk::calls&, const std::string& message) {
  refusal_ = message;
}

void load_scheduler::on_program_event(sdk::calls& call, const std::string& name, const std::string&) {
  if (name == "finish") call.teardown(0);
}

}  // namespace troupe
