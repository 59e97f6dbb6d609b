#include "tests/unit/agent/agent_fixture.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::testing;

TEST_CASE("a command task is recorded, and gets an executor of the agent's own making that charges nothing") {
  agent_fixture f;
  f.registered();
  const auto& out = f.run(command_task());
  auto spawn = said<internal::SpawnExecutor>(out);
  auto container = container_of(f);
  CHECK(same(spawn.executor(), address(internal::EXECUTOR, container)));
  CHECK(spawn.info().executor_id().value() == "t-1");
  CHECK(spawn.info().name() == "Command Executor (Task: t-1) (Command: sh -c 'sleep 1000 a...')");
  CHECK(spawn.info().resources().empty());
  CHECK(spawn.container_id().value() == container);
  CHECK(spawn.sandbox() == "/work/agents/agent-1/frameworks/f-1/executors/t-1/runs/" + container);
  CHECK(spawn.shutdown_grace_ms() == 5000);
  CHECK(f.keys_under("agent/framework/f-1").size() == 1);
  CHECK(f.keys_under("agent/executor/f-1/t-1").size() == 1);
  CHECK(f.keys_under("agent/task/f-1/t-1").size() == 1);
}

TEST_CASE("a task with a grace of its own lengthens the patience with its executor") {
  agent_fixture f;
  f.registered();
  auto task = command_task();
  task.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(std::chrono::nanoseconds(30s).count());
  CHECK(said<internal::SpawnExecutor>(f.run(task)).shutdown_grace_ms() == 32000);
}

TEST_CASE("container ids are uuids, and differ") {
  agent_fixture f;
  f.registered();
  auto a = said<internal::SpawnExecutor>(f.run(command_task("t-1"))).container_id().value();
  auto b = said<internal::SpawnExecutor>(f.run(command_task("t-2"))).container_id().value();
  CHECK(a.size() == 36);
  CHECK(a != b);
}

TEST_CASE("a task is handed over once its executor has subscribed") {
  agent_fixture f;
  f.registered();
  f.run(command_task());
  auto container = container_of(f);
  const auto& out = f.subscribe(container);
  REQUIRE(out.letters.size() == 2);
  auto subscribed = said<executor_api::Event::Subscribed>(out);
  CHECK(subscribed.agent_info().id().value() == "agent-1");
  CHECK(subscribed.framework_info().id().value() == "f-1");
  CHECK(subscribed.container_id().value() == container);
  CHECK(out.letters[1].verb == verb_number<executor_api::Event::Launch>::value);
  CHECK(said<executor_api::Event::Launch>(out).task().task_id().value() == "t-1");
}

TEST_CASE("a task that arrives twice changes nothing, queued, launched or ended") {
  agent_fixture f;
  f.registered();
  auto nothing_happens = [&] {
    const auto& out = f.run(command_task());
    return out.letters.empty() && out.edits.empty();
  };
  f.run(command_task());
  CHECK(nothing_happens());
  auto container = container_of(f);
  f.subscribe(container);
  CHECK(nothing_happens());
  f.update(container, f.status(v1::TASK_FINISHED));
  CHECK(nothing_happens());
}

TEST_CASE("a task for another agent, or before there is an id, is not taken") {
  agent_fixture f;
  CHECK(f.run(command_task()).edits.empty());
  f.registered();
  auto task = command_task();
  task.mutable_agent_id()->set_value("agent-2");
  CHECK(f.run(task).edits.empty());
}

TEST_CASE("a custom executor is launched with its own and its task's resources, and knows where it is") {
  agent_fixture f;
  f.registered();
  const auto& out = f.run(custom_task());
  auto plan = said<internal::LaunchContainer>(out);
  auto container = container_of(f);
  CHECK(plan.container_id().value() == container);
  CHECK(plan.command().value() == "./executor");
  CHECK(plan.resources_size() == 2);
  CHECK(plan.user() == "nobody");
  std::map<std::string, std::string> environment;
  for (const auto& v : plan.environment().variables()) environment[v.name()] = v.value();
  CHECK(environment["TROUPE_FRAMEWORK_ID"] == "f-1");
  CHECK(environment["TROUPE_EXECUTOR_ID"] == "e-1");
  CHECK(environment["TROUPE_CONTAINER_ID"] == container);
  CHECK(environment["TROUPE_SANDBOX"] == plan.sandbox());
  CHECK(environment["TROUPE_AGENT_ENDPOINT"] == "unix:/run/agent.sock");
  CHECK(environment["TROUPE_TLS_CA"] == "/etc/troupe/ca.pem");
  CHECK(environment["MESOS_FRAMEWORK_ID"] == "f-1");
  CHECK(environment["MESOS_EXECUTOR_ID"] == "e-1");
  CHECK(environment["MESOS_DIRECTORY"] == plan.sandbox());
  CHECK(environment["MESOS_SLAVE_ID"] == "agent-1");
  CHECK(environment["MESOS_SLAVE_PID"] == "slave(1)@host:5051");
  CHECK(environment["MESOS_AGENT_ENDPOINT"] == "host:5051");
  CHECK(environment["MESOS_CHECKPOINT"] == "0");
  CHECK(environment["MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"] == "5secs");
}

TEST_CASE("tasks of one custom executor share it, in the order in which they came") {
  agent_fixture f;
  f.registered();
  f.run(custom_task("t-2"));
  CHECK(f.run(custom_task("t-1")).letters.empty());
  auto container = container_of(f);
  auto launches = all_said<executor_api::Event::Launch>(f.subscribe(container));
  REQUIRE(launches.size() == 2);
  CHECK(launches[0].task().task_id().value() == "t-2");
  CHECK(launches[1].task().task_id().value() == "t-1");
  CHECK(said<executor_api::Event::Launch>(f.run(custom_task("t-3"))).task().task_id().value() == "t-3");
}

TEST_CASE("a task that cannot be run here is told so, with the reason") {
  agent_fixture f;
  f.registered();
  auto task = command_task();
  SECTION("neither command nor executor") {
    task.clear_command();
  }
  SECTION("both") {
    *task.mutable_executor() = custom_task().executor();
  }
  SECTION("an executor without a command") {
    task.clear_command();
    task.mutable_executor()->mutable_executor_id()->set_value("e-1");
  }
  SECTION("an executor that is named like a way out of the work folder") {
    task = custom_task("t-1", "../../etc");
  }
  const auto& out = f.run(task);
  auto update = said<internal::StatusUpdated>(out);
  CHECK(update.status().state() == v1::TASK_ERROR);
  CHECK(update.status().reason() == v1::TaskStatus::REASON_TASK_INVALID);
  CHECK_FALSE(update.status().message().empty());
  CHECK(out.letters.size() == 1);
  f.acknowledge(update.status());
  CHECK(f.keys_under("agent/").size() == 1);
}

TEST_CASE("a task or framework whose id is no file name is dropped") {
  agent_fixture f;
  f.registered();
  CHECK(f.run(command_task("..")).edits.empty());
  CHECK(f.run(command_task(), "a/b").edits.empty());
}

TEST_CASE("a custom executor may not take the name of a command task") {
  agent_fixture f;
  f.registered();
  f.run(command_task("t-1"));
  auto update = said<internal::StatusUpdated>(f.run(custom_task("t-2", "t-1")));
  CHECK(update.status().state() == v1::TASK_ERROR);
}

TEST_CASE("a task for an executor that is ending is dropped") {
  agent_fixture f;
  f.registered();
  f.start(custom_task("t-1"));
  f.shutdown_executor("e-1");
  auto update = said<internal::StatusUpdated>(f.run(custom_task("t-2")));
  CHECK(update.status().state() == v1::TASK_DROPPED);
  CHECK(update.status().reason() == v1::TaskStatus::REASON_EXECUTOR_TERMINATED);
  // Until that is acknowledged the agent lists it when it registers again: the master must not take it for lost.
  f.disconnected(leader());
  f.connected(leader());
  const auto calls = all_said<internal::ReregisterAgent>(f.pass(1s));
  REQUIRE_FALSE(calls.empty());
  const auto& tasks = calls.front().tasks();
  const auto listed =
      std::find_if(tasks.begin(), tasks.end(), [](const auto& t) { return t.task_id().value() == "t-2"; });
  REQUIRE(listed != tasks.end());
  CHECK(listed->state() == v1::TASK_DROPPED);
}

TEST_CASE("new knowledge of a framework is recorded, and reaches nobody twice") {
  agent_fixture f;
  f.registered();
  f.run(command_task());
  internal::FrameworkUpdated updated;
  *updated.mutable_framework() = framework_info();
  updated.mutable_framework()->set_hostname("elsewhere");
  CHECK(f.hear(leader(), updated).edits.size() == 1);
  CHECK(f.hear(leader(), updated).edits.empty());
  CHECK(f.view().frameworks(0).info().hostname() == "elsewhere");
}

TEST_CASE("messages pass between a framework and its executor") {
  agent_fixture f;
  f.registered();
  internal::SendToExecutor down;
  down.mutable_framework_id()->set_value("f-1");
  down.mutable_executor_id()->set_value("e-1");
  down.set_data("hello");
  CHECK(f.hear(leader(), down).letters.empty());
  auto container = f.start(custom_task());
  CHECK(said<executor_api::Event::Message>(f.hear(leader(), down)).data() == "hello");
  executor_api::Call::Message up;
  up.set_data("back");
  auto message = said<internal::SendToFramework>(f.hear(address(internal::EXECUTOR, container), up));
  CHECK(message.data() == "back");
  CHECK(message.framework_id().value() == "f-1");
  CHECK(message.executor_id().value() == "e-1");
  CHECK(message.agent_id().value() == "agent-1");
  CHECK(f.hear(address(internal::EXECUTOR, "nobody"), up).letters.empty());
}
