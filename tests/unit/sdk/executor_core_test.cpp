// A custom executor remembers what it was given and what it reported, until that is acknowledged.
#include "frameworks/sdk/executor_core.hpp"
#include "tests/unit/core_driver.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace troupe;
using namespace troupe::testing;

namespace {

using Subscribe = v1::executor::Call::Subscribe;
using Update = v1::executor::Call::Update;

const Address agent = address(internal::AGENT, "a");
const Address local = address(internal::RUNTIME, "local");

/// Its tasks run as soon as they are launched; each leaves a record. `resumes`: it takes up what an earlier one left.
class noted_executor final : public sdk::executor {
 public:
  explicit noted_executor(bool resumes) : resumes_(resumes) {}

  void on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) override {
    launched.push_back(task.task_id().value());
    call.put(task.task_id().value(), task.task_id());
    call.update(task.task_id(), v1::TASK_RUNNING);
  }
  void on_kill(sdk::executor_calls& call, const task_id& task) override {
    call.erase(task.value());
    call.update(task, v1::TASK_KILLED);
  }
  void on_recovered(sdk::executor_calls& call, const std::vector<v1::TaskInfo>& tasks) override {
    for (const auto& task : tasks) recovered.push_back(task.task_id().value());
    if (!resumes_) executor::on_recovered(call, tasks);
  }
  void remember(const std::string& key, std::string_view record) override {
    v1::TaskID id;
    if (decode_record(record, id) && id.value() == key) remembered.push_back(key);
  }

  std::vector<std::string> launched, recovered, remembered;

 private:
  const bool resumes_;
};

/// An executor, its core, and the agent that it talks to.
class executor_fixture {
 public:
  explicit executor_fixture(bool resumes = true)
      : resumes_(resumes),
        driver_([this] { return make(); },
                [this](const internal::CustomExecutorState& state) {
                  sdk::executor_core core(std::make_shared<noted_executor>(resumes_), options());
                  core.load(state);
                  return core;
                }) {}

  const noted_executor& logic() const { return *logic_; }
  const std::map<std::string, std::string>& store() const { return driver_.store(); }

  /// A process that begins with what the store holds.
  outbox start_again() {
    started_anew_ = true;
    return driver_.recover();
  }
  /// The actor alone is started again, around the same executor.
  outbox restart_actor() {
    started_anew_ = false;
    return driver_.recover();
  }
  outbox link() {
    internal::PeerConnected connected;
    *connected.mutable_peer() = agent;
    return driver_.hear(local, connected);
  }
  outbox subscribe() {
    link();
    return driver_.hear(agent, v1::executor::Event::Subscribed());
  }
  /// Heard, recorded, and begun.
  outbox launch(const std::string& task) {
    auto heard = hear_launch(task);
    return is_said<internal::ProgramEvent>(heard) ? begin(said<internal::ProgramEvent>(heard)) : heard;
  }
  outbox begin(const internal::ProgramEvent& begin) { return driver_.hear(address(internal::EXECUTOR, "c"), begin); }
  outbox hear_launch(const std::string& task) {
    v1::executor::Event::Launch launch;
    launch.mutable_task()->set_name(task);
    launch.mutable_task()->mutable_task_id()->set_value(task);
    launch.mutable_task()->mutable_agent_id()->set_value("a");
    return driver_.hear(agent, launch);
  }
  outbox kill(const std::string& task) {
    v1::executor::Event::Kill kill;
    kill.mutable_task_id()->set_value(task);
    return driver_.hear(agent, kill);
  }
  void acknowledge(const v1::TaskStatus& status) {
    v1::executor::Event::Acknowledged ack;
    *ack.mutable_task_id() = status.task_id();
    ack.set_uuid(status.uuid());
    driver_.hear(agent, ack);
  }

 private:
  sdk::executor_core_options options() const {
    sdk::executor_core_options options;
    options.executor_id.set_value("e");
    options.started_anew = started_anew_;
    return options;
  }
  sdk::executor_core make() {
    if (started_anew_) logic_ = std::make_shared<noted_executor>(resumes_);
    return sdk::executor_core(logic_, options());
  }

  const bool resumes_;
  bool started_anew_ = true;
  std::shared_ptr<noted_executor> logic_;
  core_driver<sdk::executor_core> driver_;
};

std::vector<std::string> reports(const Subscribe& call) {
  std::vector<std::string> all;
  for (const auto& update : call.unacknowledged_updates())
    all.push_back(update.status().task_id().value() + " " + v1::TaskState_Name(update.status().state()));
  return all;
}

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("A custom executor that is started again takes up its tasks and repeats what nobody has acknowledged") {
  executor_fixture e;
  e.start_again();
  e.subscribe();
  const auto running = said<Update>(e.launch("t1"));
  e.acknowledge(running.status());
  e.launch("t2");

  e.start_again();
  CHECK(e.logic().recovered == names{"t1", "t2"});
  CHECK(e.logic().launched.empty());
  const auto call = said<Subscribe>(e.link());
  REQUIRE(call.unacknowledged_tasks_size() == 1);
  CHECK(call.unacknowledged_tasks(0).task_id().value() == "t2");
  CHECK(reports(call) == names{"t2 TASK_RUNNING"});
}

TEST_CASE("A launch that a restarted executor hears again runs nothing again") {
  executor_fixture e;
  e.start_again();
  e.subscribe();
  e.launch("t1");
  e.start_again();
  e.subscribe();
  CHECK_FALSE(is_said<Update>(e.launch("t1")));
  CHECK(e.logic().launched.empty());
}

TEST_CASE("A task begins when it is on record, so that whoever comes after knows of all that has begun") {
  executor_fixture e;
  e.start_again();
  e.subscribe();
  const auto heard = e.hear_launch("t1");
  CHECK(e.logic().launched.empty());
  CHECK(e.store().size() == 1);
  const auto told = said<internal::ProgramEvent>(heard);
  SECTION("it is begun") {
    e.begin(told);
    CHECK(e.logic().launched == names{"t1"});
    e.begin(told);
    CHECK(e.logic().launched == names{"t1"});
  }
  SECTION("the process ends before that") {
    e.start_again();
    CHECK(e.logic().recovered == names{"t1"});
    CHECK(reports(said<Subscribe>(e.link())) == names{"t1 TASK_RUNNING"});
    e.begin(told);
    CHECK(e.logic().launched.empty());
  }
  SECTION("the actor ends before that") {
    const auto again = e.restart_actor();
    e.begin(said<internal::ProgramEvent>(again));
    CHECK(e.logic().launched == names{"t1"});
  }
  SECTION("it is killed before that") {
    CHECK(said<Update>(e.kill("t1")).status().state() == v1::TASK_KILLED);
    e.begin(told);
    CHECK(e.logic().launched.empty());
  }
}

TEST_CASE("Of an executor that takes up nothing the tasks are reported to have failed, after what it reported before") {
  executor_fixture e(false);
  e.start_again();
  e.subscribe();
  e.launch("t1");
  e.launch("t2");
  e.kill("t2");
  e.start_again();
  CHECK(e.logic().recovered == names{"t1"});
  CHECK(reports(said<Subscribe>(e.link())) ==
        names{"t1 TASK_RUNNING", "t2 TASK_RUNNING", "t2 TASK_KILLED", "t1 TASK_FAILED"});
}

TEST_CASE("A failed actor is started again around the executor that still has its tasks") {
  executor_fixture e(false);
  e.start_again();
  e.subscribe();
  e.launch("t1");
  e.restart_actor();
  CHECK(e.logic().recovered.empty());
  CHECK(reports(said<Subscribe>(e.link())) == names{"t1 TASK_RUNNING"});
}

TEST_CASE("What the executor's program puts comes back, and nothing is kept of a task whose end is acknowledged") {
  executor_fixture e;
  e.start_again();
  e.subscribe();
  e.acknowledge(said<Update>(e.launch("t1")).status());
  e.launch("t2");
  e.start_again();
  CHECK(e.logic().remembered == names{"t1", "t2"});
  for (const std::string task : {"t1", "t2"}) {
    for (const auto& update : all_said<Update>(e.subscribe())) e.acknowledge(update.status());
    e.acknowledge(said<Update>(e.kill(task)).status());
  }
  CHECK(e.store().empty());
}

TEST_CASE("A damaged record of an executor is no task and no report") {
  executor_fixture e;
  e.start_again();
  sdk::executor_core core(std::make_shared<noted_executor>(true), {});
  core.remember("executor/task/t1", "garbage");
  core.remember("executor/update/0000000000000001", "garbage");
  core.remember("executor/update/none/of/ours", "garbage");
  CHECK(core.save().tasks_size() == 0);
  CHECK(core.save().updates_size() == 0);
}
