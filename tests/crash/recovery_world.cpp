#include "tests/crash/recovery_world.hpp"

#include "actors/master/master_options.hpp"
#include "frameworks/sdk/scheduler_core.hpp"
#include "protocol/resources.hpp"
#include "protocol/task_state.hpp"

#include "troupe/internal/agent_state.pb.h"
#include "troupe/internal/allocator_state.pb.h"
#include "troupe/internal/master_state.pb.h"

#include <utility>

namespace troupe::test {

namespace {

using testing::world_error;

constexpr std::chrono::seconds patience{3600};

/// Not doubted at each step as the cluster's own cores are: what its logic remembers is in no saved state.
class framework_machine final : public testing::machine {
 public:
  explicit framework_machine(std::shared_ptr<sdk::scheduler> logic) : core_(std::move(logic), {}) {}
  void remember(std::string_view key, std::string_view record) override { core_.remember(key, record); }
  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now) override {
    auto out = core_.on(head, body, now);
    core_.check_invariants();
    return out;
  }
  std::shared_ptr<const google::protobuf::Message> look() const override { return core_.look(""); }
  std::uint64_t epoch() const override { return 0; }

 private:
  sdk::scheduler_core core_;
};

template <class View>
View seen_in(const testing::world& world, const std::string& name) {
  const auto view = world.look(name);
  const auto* wanted = dynamic_cast<const View*>(view.get());
  if (!wanted) throw world_error(name + " shows something else");
  return *wanted;
}

}  // namespace

recovery_world::recovery_world() : world_(1, false) {
  world_.add_master(master_options());
  world_.add_agent("a1", "cpus:8;mem:4096;disk:4096");
  world_.add_framework("f1", [this] {
    logic_ = std::make_shared<remembering_scheduler>();
    return std::make_unique<framework_machine>(logic_);
  });
}

void recovery_world::begin() {
  revive();
  await("the agent and the framework are known", [this] {
    if (!framework() || !world_.alive("master") || world_.id_of("a1").empty() || world_.id_of("f1").empty())
      return false;
    const auto view = seen_in<internal::AllocatorView>(world_, "allocator");
    return view.agents_size() == 1;
  });
}

// --- what is asked for -----------------------------------------------------------------------------------------------

void recovery_world::want(const std::string& task, const std::string& executor) {
  v1::TaskInfo wish;
  wish.set_name(task);
  wish.mutable_task_id()->set_value(task);
  wish.mutable_agent_id()->set_value("");  // that of the offer
  *wish.mutable_resources() = resources::parse("cpus:0.5;mem:32")->proto();
  if (executor.empty()) {
    wish.mutable_command()->set_value("run-" + task);
  } else {
    wish.mutable_executor()->mutable_executor_id()->set_value(executor);
    wish.mutable_executor()->mutable_command()->set_value("run-" + executor);
  }
  executors_[task] = executor;
  await("the framework wants " + task, [&] {
    if (!framework()) return false;
    if (framework()->wants(task)) return true;
    world_.tell("f1", "want", wish.SerializeAsString());
    return false;
  });
}

void recovery_world::kill(const std::string& task) {
  may_end_[task] = v1::TASK_KILLED;
  await("the framework wants " + task + " killed", [&] {
    if (!framework()) return false;
    if (framework()->wants_killed(task)) return true;
    world_.tell("f1", "kill", task);
    return false;
  });
}

void recovery_world::restart(const std::string& name, std::chrono::seconds away) {
  if (world_.alive(name)) world_.crash(name);
  away_[name] = away;
  pass(away);
  await(name + " is back", [&] { return world_.alive(name); });
}

void recovery_world::reboot() {
  for (const auto& [task, executor] : executors_)
    if (seen_[task].ended == false) may_end_.emplace(task, v1::TASK_FAILED);
  world_.reboot("a1");  // started again at once, if its store lets it
  pass(std::chrono::seconds(1));
}

void recovery_world::end(const std::string& label, int status) {
  for (const auto& [task, executor] : executors_)
    if (task == label || executor == label) may_end_.emplace(task, status == 0 ? v1::TASK_FINISHED : v1::TASK_FAILED);
  const auto over = [&] {
    for (const auto& [task, executor] : executors_)
      if ((task == label || executor == label) && !is_terminal(told(task))) return false;
    return true;
  };
  await(label + " runs, to be ended", [&] {
    if (!world_.runs("a1", label)) return over();
    world_.end_container(label, status);
    return true;
  });
}

void recovery_world::finish_in(const std::string& executor, const std::string& task) {
  may_end_.emplace(task, v1::TASK_FINISHED);
  v1::TaskStatus status;
  status.mutable_task_id()->set_value(task);
  status.set_state(v1::TASK_FINISHED);
  await(executor + " runs, to say that " + task + " has finished", [&] {
    if (is_terminal(told(task))) return true;
    if (!world_.has(executor) || !world_.alive(executor) || told(task) != v1::TASK_RUNNING) return false;
    world_.tell(executor, "report", status.SerializeAsString());
    return true;
  });
}

void recovery_world::await_running(const std::string& task) {
  await(task + " runs", [&] { return told(task) == v1::TASK_RUNNING || is_terminal(told(task)); });
}

void recovery_world::await_ended(const std::string& task) {
  await(task + " has ended", [&] { return is_terminal(told(task)); });
}

// --- time ------------------------------------------------------------------------------------------------------------

void recovery_world::revive() {
  for (const std::string name : {"master", "a1", "f1"}) {
    if (world_.alive(name)) continue;
    if (over_ && name == "f1") continue;
    if (auto& left = away_[name]; left > std::chrono::seconds(1)) {
      left -= std::chrono::seconds(1);
      continue;
    }
    world_.start(name);
  }
}

void recovery_world::pass(std::chrono::seconds time) {
  for (auto left = time; left > std::chrono::seconds(0); left -= std::chrono::seconds(1)) {
    world_.pass(std::chrono::seconds(1));
    look();
    revive();
  }
}

void recovery_world::await(const std::string& what, const std::function<bool()>& holds) {
  for (auto left = patience; left > std::chrono::seconds(0); left -= std::chrono::seconds(1)) {
    world_.settle();
    if (holds()) return world_.settle();
    pass(std::chrono::seconds(1));
  }
  fail("an hour later it is still not so that " + what);
}

// --- what must be true -----------------------------------------------------------------------------------------------

void recovery_world::fail(const std::string& what) const {
  throw world_error(what);
}

const remembering_scheduler* recovery_world::framework() const {
  return world_.alive("f1") && logic_ ? logic_.get() : nullptr;
}

v1::TaskState recovery_world::told(const std::string& task) const {
  const auto* self = framework();
  if (!self) return v1::TASK_STAGING;
  const auto found = self->told().find(task);
  return found == self->told().end() ? v1::TASK_STAGING : found->second.state();
}

void recovery_world::look() {
  look_at_letters();
  look_at_ids();
  for (const auto& [task, executor] : executors_) {
    const auto& label = executor.empty() ? task : executor;
    if (executor.empty() && world_.starts_of("a1", task) > 1) fail(task + " ran twice");
    if (may_end_.count(task) != 0 || !seen_[task].ran) continue;
    if (seen_[task].ended) fail(task + " was disturbed: " + seen_[task].outcome);
    if (!world_.runs("a1", label)) fail(task + " was disturbed: nothing runs it any more");
  }
}

/// Whatever reached the framework's process, whether it has remembered it or not.
void recovery_world::look_at_letters() {
  const auto& heard = world_.heard("f1");
  for (; letters_ < heard.size(); ++letters_) {
    const auto* update = dynamic_cast<const scheduler::Event::Update*>(heard[letters_].body.get());
    if (!update) continue;
    const auto& status = update->status();
    auto& task = seen_[status.task_id().value()];
    const auto said = v1::TaskState_Name(status.state()) + " " + status.message();
    if (task.ended && status.state() != task.state)
      fail(status.task_id().value() + " was told to be " + task.outcome + ", and then " + said);
    if (!task.ended && task.state != status.state() && !may_follow(task.state, status.state()))
      fail(status.task_id().value() + " was " + v1::TaskState_Name(task.state) + ", and then " + said);
    task.state = status.state();
    task.outcome = said;
    if (status.state() == v1::TASK_RUNNING) task.ran = true;
    if (is_terminal(status.state())) task.ended = true;
  }
}

void recovery_world::look_at_ids() {
  for (const std::string name : {"a1", "f1"}) {
    const auto id = world_.id_of(name);
    if (id.empty()) continue;
    const auto [known, first] = ids_.emplace(name, id);
    if (!first && known->second != id) fail(name + " was " + known->second + " and is " + id);
  }
}

void recovery_world::finish() {
  for (const auto& [task, executor] : executors_) {
    if (may_end_.count(task) == 0) {
      await_running(task);
      if (executor.empty())
        end(task, 0);
      else
        finish_in(executor, task);
    }
    await_ended(task);
  }
  pass(std::chrono::seconds(120));
  for (const auto& [task, wanted] : may_end_) {
    const auto state = told(task);
    const bool never_ran = !seen_[task].ran && world_.starts_of("a1", task) == 0;
    const bool as_wanted = state == wanted || (wanted == v1::TASK_FAILED && state == v1::TASK_LOST);
    if (!as_wanted && !(never_ran && executors_[task].empty()) && !(!seen_[task].ran && !executors_[task].empty()))
      fail(task + " should be told to be " + v1::TaskState_Name(wanted) + " and was " + seen_[task].outcome);
  }
  await("the framework is torn down", [&] {
    if (!world_.alive("master")) return false;
    const auto view = seen_in<internal::MasterView>(world_, "master");
    for (const auto& known : view.frameworks()) {
      if (known.info().id().value() != world_.id_of("f1")) continue;
      if (world_.alive("f1")) world_.tell("f1", "tear down", "");
      return false;
    }
    return true;
  });
  over_ = true;
  pass(std::chrono::seconds(120));
  await("the agent has nothing left", [&] {
    if (!world_.alive("a1") || !world_.alive("master")) return false;
    const auto agent = seen_in<internal::AgentView>(world_, "a1");
    const auto view = seen_in<internal::AllocatorView>(world_, "allocator");
    bool unused = view.agents_size() == 1;
    for (const auto& each : view.agents()) unused = unused && each.used_size() == 0;
    for (const auto& [task, executor] : executors_)
      unused = unused && !world_.runs("a1", task) && (executor.empty() || !world_.runs("a1", executor));
    return unused && agent.unacknowledged_updates() == 0 && world_.kept_ends("a1") == 0;
  });
}

}  // namespace troupe::test
