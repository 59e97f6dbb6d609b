#include "frameworks/sdk/executor_core.hpp"

#include "frameworks/sdk/typed_message.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <stdexcept>

namespace troupe::sdk {

namespace {

const std::string tasks_root = keys::path({"executor", "task"});
const std::string updates_root = keys::path({"executor", "update"});
const std::string app_root = keys::path({"executor", "app"});

std::string task_key(const task_id& id) {
  return keys::path({"executor", "task", id.value()});
}

std::string update_key(std::uint64_t number) {
  return keys::path({"executor", "update", keys::ordered(number)});
}

}  // namespace

void executor_calls::update(const task_id& task, v1::TaskState state, const std::string& message,
                            const std::string& data) {
  v1::TaskStatus status;
  *status.mutable_task_id() = task.proto();
  status.set_state(state);
  status.set_source(v1::TaskStatus::SOURCE_EXECUTOR);
  if (!message.empty()) status.set_message(message);
  if (!data.empty()) status.set_data(data);
  updates_.push_back(std::move(status));
}

void executor_calls::send(const google::protobuf::Message& message) {
  v1::executor::Call::Message out;
  out.set_data(pack(message));
  // The address is filled in by executor_core, which alone knows where the link leads.
  step_.say(Address(), std::move(out));
}

void executor_calls::put(const std::string& key, const google::protobuf::Message& record) {
  step_.put(keys::path({"executor", "app", key}), record);
}

void executor_calls::erase(const std::string& key) {
  step_.erase(keys::path({"executor", "app", key}));
}

void executor::on_recovered(executor_calls& call, const std::vector<v1::TaskInfo>& tasks) {
  for (const auto& task : tasks)
    call.update(task_id(task.task_id()), v1::TASK_FAILED,
                "The executor's program was started again and does not take up its tasks");
}

executor_core::executor_core(std::shared_ptr<executor> logic, executor_core_options options)
    : logic_(std::move(logic)), options_(std::move(options)) {}

void executor_core::remember(std::string_view key, std::string_view record) {
  const auto parts = keys::components(key);
  if (parts.size() != 3) return;
  if (keys::under(key, app_root)) {
    logic_->remember(parts[2], record);
  } else if (keys::under(key, tasks_root)) {
    internal::ExecutorTaskRecord task;
    if (decode_record(record, task)) tasks_[task_id(task.task().task_id())] = task;
  } else if (keys::under(key, updates_root)) {
    internal::ExecutorUpdateRecord update;
    std::uint64_t number = 0;
    std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), number, 16);
    if (!decode_record(record, update)) return;
    unacknowledged_[number] = update.status();
    next_update_ = number + 1;
  }
}

outbox executor_core::on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
  outbox out;
  if (ended_) return out;
  step s{head, now, out};
  dispatch(*this, s, body);
  if (exit_code_ && (unacknowledged_.empty() || mutated(mutant::executor_ends_unheard))) end(s);
  if (ended_) return out;
  for (auto wish : {subscribe_at_, give_up_at_})
    if (wish && (!out.wake_at || *wish < *out.wake_at)) out.wake_at = wish;
  return out;
}

void executor_core::end(step& s) {
  ended_ = true;
  internal::ProgramEvent exit;
  exit.set_name("exit");
  exit.set_data(std::to_string(exit_code_.value_or(0)));
  s.say(address(internal::RUNTIME, "local"), std::move(exit));
}

/// Runs one event of the executor and sends what it reported: every update gets its ids, its time and a fresh uuid, and
/// is remembered until it is acknowledged.
template <class Event>
void executor_core::tell(step& s, Event event) {
  std::vector<v1::TaskStatus> updates;
  bool was_ending = exit_code_.has_value();
  auto first_letter = s.out.letters.size();
  executor_calls call(s, updates, exit_code_);
  event(call);
  for (auto i = first_letter; i < s.out.letters.size(); ++i) s.out.letters[i].to = agent_;
  random_stream random(s.now.random_seed);
  for (auto& status : updates) {
    *status.mutable_executor_id() = options_.executor_id;
    status.set_timestamp(std::chrono::duration<double>(s.now.wall_now.time_since_epoch()).count());
    status.set_uuid(random.bytes16());
    if (subscribed_) say_update(s, status);
    internal::ExecutorUpdateRecord record;
    *record.mutable_status() = status;
    s.put(update_key(next_update_), record);
    unacknowledged_[next_update_++] = std::move(status);
  }
  if (exit_code_ && !was_ending) give_up_at_ = s.now.now + options_.linger;
}

void executor_core::say_update(step& s, const v1::TaskStatus& status) {
  v1::executor::Call::Update update;
  *update.mutable_status() = status;
  s.say(agent_, std::move(update));
}

void executor_core::subscribe(step& s) {
  v1::executor::Call::Subscribe call;
  for (const auto& [id, task] : tasks_)
    if (!task.acknowledged() && !mutated(mutant::unacknowledged_tasks_unsaid))
      *call.add_unacknowledged_tasks() = task.task();
  for (const auto& [number, status] : unacknowledged_) *call.add_unacknowledged_updates()->mutable_status() = status;
  if (mutated(mutant::updates_resent_backwards))
    std::reverse(call.mutable_unacknowledged_updates()->begin(), call.mutable_unacknowledged_updates()->end());
  s.say(agent_, std::move(call));
  subscribe_at_ = s.now.now + options_.subscribe_retry;
}

void executor_core::handle(step& s, const internal::Recovered&) {
  give_up_at_ = s.now.now + options_.recovery_timeout;
  if (!options_.started_anew) {
    for (const auto& [id, task] : tasks_)
      if (!task.begun()) begin_when_durable(s, id);
    return;
  }
  std::set<task_id> ended;
  for (const auto& [number, status] : unacknowledged_)
    if (is_terminal(status.state())) ended.insert(task_id(status.task_id()));
  std::vector<v1::TaskInfo> tasks;
  for (auto& [id, task] : tasks_) {
    if (ended.count(id) == 0) tasks.push_back(task.task());
    if (task.begun()) continue;
    task.set_begun(true);
    s.put(task_key(id), task);
  }
  if (tasks.empty()) return;
  s.log("executor.recovered executor=" + options_.executor_id.value() + " tasks=" + std::to_string(tasks.size()) +
        " unacknowledged=" + std::to_string(unacknowledged_.size()));
  tell(s, [&](executor_calls& call) { logic_->on_recovered(call, tasks); });
  report_taken_up(s, tasks);
}

/// Of a task that had not begun when the program ended nothing has been told, unless that is done now.
void executor_core::report_taken_up(step& s, const std::vector<v1::TaskInfo>& tasks) {
  std::set<task_id> told;
  for (const auto& [number, status] : unacknowledged_) told.insert(task_id(status.task_id()));
  tell(s, [&](executor_calls& call) {
    for (const auto& task : tasks) {
      const task_id id(task.task_id());
      if (told.count(id) == 0 && !tasks_.at(id).acknowledged()) call.update(id, v1::TASK_RUNNING);
    }
  });
}

void executor_core::handle(step& s, const internal::TimerFired&) {
  if (subscribe_at_ && s.now.now >= *subscribe_at_) {
    subscribe_at_.reset();
    if (!agent_.id().empty()) subscribe(s);
  }
  if (give_up_at_ && s.now.now >= *give_up_at_) {
    if (!exit_code_) {
      s.log("executor.gives_up executor=" + options_.executor_id.value() + " reason=agent_away");
      tell(s, [this](executor_calls& call) { logic_->on_shutdown(call); });
      exit_code_ = 1;
    }
    end(s);
  }
}

void executor_core::handle(step& s, const internal::PeerConnected& m) {
  if (m.peer().role() != internal::AGENT) return;
  agent_ = m.peer();
  subscribed_ = false;
  if (!exit_code_) give_up_at_.reset();
  subscribe(s);
}

void executor_core::handle(step& s, const internal::PeerDisconnected& m) {
  if (!same(m.peer(), agent_)) return;
  agent_.Clear();
  subscribed_ = false;
  subscribe_at_.reset();
  if (!exit_code_) give_up_at_ = s.now.now + options_.recovery_timeout;
}

void executor_core::handle(step& s, const internal::ProgramEvent& m) {
  if (s.head.from().role() == internal::EXECUTOR) return begin(s, task_id(m.data()));
  tell(s, [&](executor_calls& call) { logic_->on_program_event(call, m.name(), m.data()); });
}

void executor_core::handle(step& s, const v1::executor::Event::Subscribed& m) {
  subscribe_at_ = s.now.now + options_.check_in;
  if (subscribed_) return;
  subscribed_ = true;
  // What came with the subscription is acknowledged before it is answered: these were reported in between.
  for (const auto& [number, status] : unacknowledged_) say_update(s, status);
  tell(s, [&](executor_calls& call) { logic_->on_subscribed(call, m); });
}

/// The program is told when the task is on record: what it starts must not be unknown to the one after it.
void executor_core::handle(step& s, const v1::executor::Event::Launch& m) {
  const task_id id(m.task().task_id());
  const auto [entry, is_new] = tasks_.try_emplace(id);
  if (!is_new && !mutated(mutant::launch_said_twice_runs_twice)) return;
  *entry->second.mutable_task() = m.task();
  s.put(task_key(id), entry->second);
  begin_when_durable(s, id);
}

void executor_core::begin_when_durable(step& s, const task_id& id) {
  internal::ProgramEvent begin;
  begin.set_data(id.value());
  s.say(s.head.to(), std::move(begin));
}

void executor_core::begin(step& s, const task_id& id) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return;
  auto& task = found->second;
  if (task.begun() && !mutated(mutant::launch_said_twice_runs_twice)) return;
  task.set_begun(true);
  s.put(task_key(id), task);
  tell(s, [&, info = task.task()](executor_calls& call) { logic_->on_launch(call, info); });
}

void executor_core::handle(step& s, const v1::executor::Event::Kill& m) {
  const auto found = tasks_.find(task_id(m.task_id()));
  if (found == tasks_.end() || found->second.begun())
    return tell(s, [&](executor_calls& call) { logic_->on_kill(call, m.task_id()); });
  // It will not begin.
  found->second.set_begun(true);
  s.put(task_key(found->first), found->second);
  tell(s, [&](executor_calls& call) { call.update(m.task_id(), v1::TASK_KILLED, "killed before it began"); });
}

void executor_core::handle(step& s, const v1::executor::Event::Acknowledged& m) {
  bool ended = false;
  for (auto it = unacknowledged_.begin(); it != unacknowledged_.end();) {
    if (it->second.uuid() != m.uuid()) {
      ++it;
      continue;
    }
    ended = ended || is_terminal(it->second.state());
    s.erase(update_key(it->first));
    it = unacknowledged_.erase(it);
  }
  acknowledge_task(s, task_id(m.task_id()), ended);
}

/// From its end on the agent never launches it again, unless another task gets its name.
void executor_core::acknowledge_task(step& s, const task_id& id, bool ended) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return;
  if (ended) {
    s.erase(task_key(id));
    tasks_.erase(found);
  } else if (!found->second.acknowledged()) {
    found->second.set_acknowledged(true);
    s.put(task_key(id), found->second);
  }
}

void executor_core::handle(step& s, const v1::executor::Event::Message& m) {
  tell(s, [&](executor_calls& call) { logic_->on_message(call, m.data()); });
}

void executor_core::handle(step& s, const v1::executor::Event::Error& m) {
  s.log("executor.refused executor=" + options_.executor_id.value() + " message=" + m.message());
  exit_code_ = 1;
  unacknowledged_.clear();
}

void executor_core::handle(step& s, const internal::ShutdownExecutor&) {
  tell(s, [this](executor_calls& call) {
    logic_->on_shutdown(call);
    call.stop(0);
  });
}

internal::CustomExecutorState executor_core::save() const {
  internal::CustomExecutorState state;
  state.set_linked(!agent_.id().empty());
  if (!agent_.id().empty()) *state.mutable_agent() = agent_;
  state.set_subscribed(subscribed_);
  state.set_ended(ended_);
  if (subscribe_at_) state.set_subscribe_at_ns(subscribe_at_->time_since_epoch().count());
  if (give_up_at_) state.set_give_up_at_ns(give_up_at_->time_since_epoch().count());
  if (exit_code_) state.set_exit_code(*exit_code_);
  for (const auto& [id, task] : tasks_) *state.add_tasks() = task;
  for (const auto& [number, status] : unacknowledged_) {
    auto* update = state.add_updates();
    update->set_number(number);
    *update->mutable_status() = status;
  }
  state.set_next_update(next_update_);
  return state;
}

void executor_core::load(const internal::CustomExecutorState& state) {
  auto time = [](std::int64_t ns) { return monotonic_time(std::chrono::nanoseconds(ns)); };
  agent_ = state.agent();
  subscribed_ = state.subscribed();
  ended_ = state.ended();
  subscribe_at_ = state.has_subscribe_at_ns() ? std::optional(time(state.subscribe_at_ns())) : std::nullopt;
  give_up_at_ = state.has_give_up_at_ns() ? std::optional(time(state.give_up_at_ns())) : std::nullopt;
  exit_code_ = state.has_exit_code() ? std::optional<int>(state.exit_code()) : std::nullopt;
  tasks_.clear();
  for (const auto& task : state.tasks()) tasks_[task_id(task.task().task_id())] = task;
  unacknowledged_.clear();
  for (const auto& update : state.updates()) unacknowledged_[update.number()] = update.status();
  next_update_ = state.next_update();
}

std::shared_ptr<const google::protobuf::Message> executor_core::look(const std::string&) const {
  return std::make_shared<internal::CustomExecutorState>(save());
}

void executor_core::check_invariants() const {
  if (subscribed_ && agent_.id().empty())
    throw std::logic_error("executor " + options_.executor_id.value() + " is subscribed without a link");
}

}  // namespace troupe::sdk
