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
const char* const killed_note = "to be killed";
constexpr seconds kill_again{5};
constexpr std::chrono::minutes deaf_ends_after{20};
// A new master does not know which tasks are away, and tells nothing of one that does not come back.
constexpr std::chrono::minutes asks_about_the_away_every{5};
constexpr std::size_t ended_kept = 16;

double in_seconds(nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

char kind_of(const std::string& task) {
  return task.at(task.find('.') + 1);
}

}  // namespace

workload::workload(workload_wish wish)
    : wish_(std::move(wish)), needs_(resources::parse(wish_.needs).value()), roles_(wish_.all_roles()) {}

v1::FrameworkInfo workload::describe() const {
  v1::FrameworkInfo info;
  info.set_name(wish_.name);
  info.set_user("somebody");
  info.set_failover_timeout(wish_.failover_timeout_s);
  info.set_checkpoint(true);
  for (const auto& role : roles_) info.add_roles(role);
  info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
  if (wish_.partition_aware) info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
  if (wish_.takes_gpus) info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::GPU_RESOURCES);
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
  if (found.message() == killed_note) to_kill_[key] = monotonic_time{};
  live_[key] = found;
}

unsigned workload::live(char kind) const {
  return static_cast<unsigned>(
      std::count_if(live_.begin(), live_.end(), [kind](const auto& entry) { return kind_of(entry.first) == kind; }));
}

// --- what it wants ---------------------------------------------------------------------------------------------------

std::string workload::role_for(std::uint64_t number) const {
  return roles_[number % roles_.size()];
}

bool workload::wants_in(const std::string& role) const {
  return std::any_of(wanted_.begin(), wanted_.end(), [&](const waiting& w) { return w.role == role; });
}

void workload::want_services(sdk::calls& call) {
  if (services_live_ >= wish_.services) return;
  const auto wanted = static_cast<unsigned>(
      std::count_if(wanted_.begin(), wanted_.end(), [](const waiting& w) { return w.kind == 'S'; }));
  for (auto n = services_live_ + wanted; n < wish_.services; ++n) wanted_.push_back({'S', call.now().now, role_for(n)});
}

void workload::plan_job(sdk::calls& call) {
  if (jobs_begun_ >= wish_.jobs) return next_job_.reset();
  chance luck(call.now().random_seed);
  if (!next_job_) next_job_ = call.now().now + luck.around(wish_.between_jobs);
  call.wake_at(*next_job_);
}

/// Says for each role whether it wants something, when that has changed. Whoever wants again is asked again, whatever
/// it had refused.
void workload::rest_or_ask(sdk::calls& call) {
  if (leaving_) return;
  const bool is_one = roles_.size() == 1;
  for (const auto& role : roles_) {
    auto& asks = asks_.try_emplace(role, true).first->second;
    const bool wants = wants_in(role);
    if (wants == asks) continue;
    asks = wants;
    const auto which = is_one ? std::vector<std::string>() : std::vector<std::string>{role};
    if (wants)
      call.revive(which);
    else if (wish_.suppresses)
      call.suppress(which);
  }
}

void workload::ask_by_name(sdk::calls& call, bool all) {
  std::vector<v1::TaskStatus> questions;
  for (const auto& [id, last] : live_)
    if (all || last.state() == v1::TASK_UNREACHABLE) questions.push_back(last);
  if (!questions.empty()) call.reconcile(questions);
  if (next_doubt_ || all || questions.empty()) return;
  next_doubt_ = call.now().now + asks_about_the_away_every;
}

void workload::on_subscribed(sdk::calls& call) {
  if (leaving_) return call.teardown(0);
  hoard_.clear();
  gathered_.clear();
  next_doubt_.reset();
  if (wish_.doubts.count() != 0) call.wake_at(*(next_doubt_ = call.now().now + wish_.doubts));
  ask_by_name(call, true);
  asks_.clear();
  for (const auto& role : said_to_be_suppressed_) asks_[role] = false;
  // What is still there is killed again, when it is known that it is.
  said_kills_.clear();
  for (auto& [id, due] : to_kill_) due = wish_.insists ? call.now().now : monotonic_time::max();
  want_services(call);
  plan_job(call);
  kill_due(call);
  rest_or_ask(call);
  if (wish_.changes_roles.count() != 0) call.wake_at(*(next_change_ = call.now().now + wish_.changes_roles));
}

void workload::on_disconnected(sdk::calls&) {
  hoard_.clear();
  gathered_.clear();
  next_change_.reset();
  next_doubt_.reset();
}

/// In turn: all of its roles, the first alone, the last alone.
void workload::change_roles(sdk::calls& call) {
  const auto all = wish_.all_roles();
  if (roles_.size() == all.size())
    roles_ = {all.front()};
  else if (roles_.front() == all.front())
    roles_ = {all.back()};
  else
    roles_ = all;
  for (auto& w : wanted_)
    if (std::find(roles_.begin(), roles_.end(), w.role) == roles_.end()) w.role = roles_.front();
  v1::scheduler::Call::UpdateFramework update;
  *update.mutable_framework_info() = describe();
  *update.mutable_framework_info()->mutable_id() = call.framework().proto();
  asks_.clear();
  for (const auto& role : roles_)
    if (!wants_in(role) && wish_.suppresses) {
      update.add_suppressed_roles(role);
      asks_[role] = false;
    }
  update_ = std::move(update);
}

void workload::speak(outbox& out) {
  for (auto& said : out.letters) {
    if (said.verb != verb_number<v1::scheduler::Call::Subscribe>::value) continue;
    auto words = static_cast<const v1::scheduler::Call::Subscribe&>(*said.body);
    said_to_be_suppressed_.clear();
    for (const auto& role : roles_)
      if (!wants_in(role) && wish_.suppresses) {
        words.add_suppressed_roles(role);
        said_to_be_suppressed_.insert(role);
      }
    said.body = std::make_shared<const v1::scheduler::Call::Subscribe>(std::move(words));
  }
  if (!update_) return;
  out.letters.push_back({leader(), verb_number<v1::scheduler::Call::UpdateFramework>::value,
                         std::make_shared<const v1::scheduler::Call::UpdateFramework>(std::move(*update_))});
  update_.reset();
}

void workload::on_timer(sdk::calls& call) {
  const auto one_in = [this](unsigned n, std::uint64_t number) { return n != 0 && number % n == n - 1; };
  if (next_job_ && call.now().now >= *next_job_) {
    next_job_.reset();
    for (auto more = std::min(wish_.jobs_at_once, wish_.jobs - jobs_begun_); more > 0; --more) {
      const auto number = jobs_begun_++;
      const char kind = wish_.kills_one_in != 0 && number % wish_.kills_one_in == 0 ? 'K'
                        : one_in(wish_.kills_at_launch_one_in, number)              ? 'W'
                        : one_in(wish_.limited_one_in, number)                      ? 'L'
                                                                                    : 'J';
      wanted_.push_back({kind, call.now().now, role_for(number)});
    }
  }
  if (next_change_ && call.now().now >= *next_change_) {
    next_change_ = call.now().now + wish_.changes_roles;
    change_roles(call);
  }
  if (next_doubt_ && call.now().now >= *next_doubt_) {
    next_doubt_.reset();
    if (wish_.doubts.count() != 0) next_doubt_ = call.now().now + wish_.doubts;
    ask_by_name(call, wish_.doubts.count() != 0);
  }
  if (next_change_) call.wake_at(*next_change_);
  if (next_doubt_) call.wake_at(*next_doubt_);
  plan_job(call);
  use_gathered(call);
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

std::string workload::executor_of(std::uint64_t number) const {
  const auto name = wish_.name + executor_suffix;
  return wish_.executors < 2 ? name : name + "-" + std::to_string(number % wish_.executors);
}

std::string workload::command_for(char kind, const std::string& lasts) const {
  const auto sleeps = "sleep " + lasts;
  if (kind == 'S') return sleeps;
  if (wish_.ignores_term_one_in != 0 && numbered_ % wish_.ignores_term_one_in == 0) return "trap '' TERM; " + sleeps;
  if (wish_.ends_well_one_in != 0 && numbered_ % wish_.ends_well_one_in == 0) return "trap 'exit 0' TERM; " + sleeps;
  return sleeps;
}

v1::TaskInfo workload::task_for(sdk::calls& call, const waiting& wanted, const v1::Offer& offer,
                                const resources& share) {
  const auto id = name_for(call, wanted.kind);
  if (wanted.kind == 'S') ++services_live_;
  auto& last = live_[id];
  last.mutable_task_id()->set_value(id);
  *last.mutable_agent_id() = offer.agent_id();
  last.set_state(v1::TASK_STAGING);
  if (wanted.kind == 'W') last.set_message(killed_note);
  call.put(id, last);  // durable before the launch leaves
  chance luck(call.now().random_seed + numbered_ + 1);
  const auto is_service = wanted.kind == 'S';
  std::string lasts = std::to_string(in_seconds(luck.around(wish_.job_lasts)));
  if (is_service)
    lasts = wish_.services_end_after_s == 0
                ? "1000000"
                : std::to_string(in_seconds(luck.around(seconds(wish_.services_end_after_s))));
  if (wanted.kind == 'K' || wanted.kind == 'W' || wanted.kind == 'L') lasts = "1000000";
  v1::TaskInfo task;
  task.set_name(wish_.name);
  *task.mutable_task_id() = last.task_id();
  share.add_to(task.mutable_resources());
  if (wish_.kill_grace.count() != 0)
    task.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(wish_.kill_grace.count());
  if (!wish_.custom_executor) {
    task.mutable_command()->set_value(command_for(wanted.kind, lasts));
    if (wanted.kind == 'L') task.mutable_max_completion_time()->set_nanoseconds(wish_.limit.count());
    return task;
  }
  auto& executor = *task.mutable_executor();
  executor.mutable_executor_id()->set_value(executor_of(numbered_));
  executor.set_name(wish_.name);
  executor.set_type(v1::ExecutorInfo::CUSTOM);
  executor.mutable_command()->set_value(wish_.name + executor_suffix);
  resources::parse(wish_.executor_needs).value().add_to(executor.mutable_resources());
  if (wish_.starts_slowly.count() != 0)
    lasts += " starts " + std::to_string(in_seconds(luck.around(wish_.starts_slowly)));
  if (wish_.deaf_one_in != 0 && numbered_ % wish_.deaf_one_in == 0) lasts += " deaf";
  task.set_data(lasts);
  return task;
}

bool workload::use(sdk::calls& call, const std::vector<v1::Offer>& offers) {
  const auto& role = offers.front().allocation_info().role();
  resources left;
  std::set<std::string> executors;
  std::vector<offer_id> ids;
  for (const auto& offer : offers) {
    left += resources::from(offer.resources()).value().unallocated();
    for (const auto& id : offer.executor_ids()) executors.insert(id.value());
    ids.emplace_back(offer.id());
  }
  const auto executor_needs = resources::parse(wish_.executor_needs).value();
  const auto reserved_needs = role == "*" ? resources() : resources::parse(wish_.needs, role).value();
  std::vector<v1::TaskInfo> tasks;
  for (;;) {
    const auto first = std::find_if(wanted_.begin(), wanted_.end(), [&](const waiting& w) { return w.role == role; });
    if (first == wanted_.end()) break;
    // What it will be called is known when it is: the name of the next one may be an old one.
    const auto executor = executor_of(numbered_ + 1);
    const bool brings_executor =
        wish_.custom_executor && (executors.count(executor) == 0 || wish_.reuses_ids_one_in != 0);
    std::optional<resources> share;
    if (!reserved_needs.empty() && !brings_executor && left.contains(reserved_needs)) {
      share = reserved_needs;
      left -= reserved_needs;
    } else {
      auto needs = needs_;
      if (brings_executor) needs += executor_needs;
      const auto taken = left.find_scalars(needs.amounts());
      if (!taken) break;
      share = needs_;
      left -= *taken;
    }
    const auto wanted = *first;
    wanted_.erase(first);
    waits_.push_back(call.now().now - wanted.since);
    tasks.push_back(task_for(call, wanted, offers.front(), *share));
    executors.insert(executor);
  }
  if (tasks.empty()) return false;
  v1::Offer::Operation launch;
  launch.set_type(v1::Offer::Operation::LAUNCH);
  std::vector<std::string> killed;
  for (auto& task : tasks) {
    *task.mutable_agent_id() = offers.front().agent_id();
    if (kind_of(task.task_id().value()) == 'W') killed.push_back(task.task_id().value());
    *launch.mutable_launch()->add_task_infos() = std::move(task);
  }
  call.accept(ids, {launch});
  chance luck(call.now().random_seed + numbered_ + 2);
  for (const auto& id : killed)
    to_kill_[id] = call.now().now + (luck.happens(0.5) ? nanoseconds(0) : luck.around(std::chrono::milliseconds(20)));
  if (!killed.empty()) kill_due(call);
  return true;
}

void workload::decline(sdk::calls& call, const std::vector<offer_id>& unused) {
  call.decline(unused, std::chrono::duration_cast<std::chrono::milliseconds>(wish_.refuse));
}

void workload::on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) {
  std::vector<offer_id> unused;
  for (const auto& offer : offers) {
    const bool wants = !wanted_.empty() && !wish_.declines_everything && !leaving_;
    if ((wants || !wish_.suppresses) && wish_.gathers.count() != 0 && !wish_.declines_everything && !leaving_) {
      auto& of_agent = gathered_[{offer.agent_id().value(), offer.allocation_info().role()}];
      if (of_agent.first.empty()) of_agent.second = call.now().now + wish_.gathers;
      of_agent.first.push_back(offer);
      call.wake_at(of_agent.second);
    } else if (wants && use(call, {offer})) {
      continue;
    } else if (wish_.hoards.count() > 0 && !leaving_) {
      hoard_[offer.id().value()] = {offer, call.now().now + wish_.hoards};
    } else {
      unused.emplace_back(offer.id());
    }
  }
  decline(call, unused);
  give_back(call);
  rest_or_ask(call);
}

void workload::use_gathered(sdk::calls& call) {
  std::vector<offer_id> unused;
  for (auto it = gathered_.begin(); it != gathered_.end();) {
    if (it->second.second > call.now().now) {
      call.wake_at(it->second.second);
      ++it;
      continue;
    }
    if (leaving_ || !use(call, it->second.first))
      for (const auto& offer : it->second.first) unused.emplace_back(offer.id());
    it = gathered_.erase(it);
  }
  decline(call, unused);
}

void workload::give_back(sdk::calls& call) {
  for (auto it = hoard_.begin(); it != hoard_.end();) {
    if (it->second.second > call.now().now) {
      call.wake_at(it->second.second);
      ++it;
      continue;
    }
    call.decline(it->second.first, std::chrono::duration_cast<std::chrono::milliseconds>(wish_.refuse));
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
    if (status.state() == v1::TASK_UNREACHABLE && !next_doubt_)
      call.wake_at(*(next_doubt_ = call.now().now + asks_about_the_away_every));
    const bool is_away = status.state() == v1::TASK_UNREACHABLE && wish_.kills_unreachable;
    if ((is_away || (kind_of(id) == 'K' && status.state() == v1::TASK_RUNNING)) && to_kill_.count(id) == 0)
      want_killed(call, id);
    if (const auto kill = to_kill_.find(id); kill != to_kill_.end() && said_kills_.count(id) == 0)
      kill->second = std::min(kill->second, call.now().now);
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

void workload::want_killed(sdk::calls& call, const std::string& id) {
  to_kill_[id] = call.now().now;
  auto& last = live_.at(id);
  last.set_message(killed_note);
  call.put(id, last);
}

/// Said again with each subscription, or until it has ended: a kill may be lost on its way to the master.
void workload::kill_due(sdk::calls& call) {
  for (auto& [id, due] : to_kill_) {
    const auto known = live_.find(id);
    if (known == live_.end()) continue;
    if (due <= call.now().now) {
      call.kill(task_id(id), agent_id(known->second.agent_id()));
      said_kills_.insert(id);
      due = wish_.insists ? call.now().now + kill_again : monotonic_time::max();
    }
    if (due != monotonic_time::max()) call.wake_at(due);
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
  const auto& id = task.task_id().value();
  const auto& course = task.data();
  if (!begun_.insert(id).second) begun_twice_.insert(id);
  running_[id] = course.find("deaf") != std::string::npos;
  wake_("over", id, nanoseconds(static_cast<std::int64_t>(std::strtod(course.c_str(), nullptr) * 1e9)));
}

void timed_executor::on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) {
  begin(task);
  const std::string starts = "starts ";
  const auto at = task.data().find(starts);
  if (at == std::string::npos) return call.update(task.task_id(), v1::TASK_RUNNING);
  const auto after = std::strtod(task.data().c_str() + at + starts.size(), nullptr);
  wake_("runs", task.task_id().value(), nanoseconds(static_cast<std::int64_t>(after * 1e9)));
}

void timed_executor::on_recovered(sdk::executor_calls& call, const std::vector<v1::TaskInfo>& tasks) {
  for (const auto& task : tasks) {
    begin(task);
    if (task.data().find("starts ") != std::string::npos) call.update(task.task_id(), v1::TASK_RUNNING);
  }
}

/// With its last task, if that is its habit.
void timed_executor::rest(sdk::executor_calls& call) const {
  if (stops_idle_ && running_.empty()) call.stop(0);
}

void timed_executor::on_kill(sdk::executor_calls& call, const task_id& task) {
  const auto found = running_.find(task.value());
  if (found == running_.end()) return;
  if (found->second) return wake_("killed", task.value(), deaf_ends_after);
  running_.erase(found);
  call.update(task, v1::TASK_KILLED, "killed on request");
  rest(call);
}

void timed_executor::on_program_event(sdk::executor_calls& call, const std::string& name, const std::string& task) {
  if (running_.count(task) == 0) return;
  if (name == "runs") return call.update(task_id(task), v1::TASK_RUNNING);
  running_.erase(task);
  call.update(task_id(task), name == "killed" ? v1::TASK_KILLED : v1::TASK_FINISHED);
  rest(call);
}

void timed_executor::on_shutdown(sdk::executor_calls& call) {
  for (const auto& [task, on] : running_) call.update(task_id(task), v1::TASK_KILLED, "the executor was shut down");
  running_.clear();
}

}  // namespace troupe::sim
