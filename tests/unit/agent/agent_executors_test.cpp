#include "tests/unit/agent/agent_fixture.hpp"

using namespace troupe;
using namespace troupe::testing;

namespace {

v1::TaskStatus only_status(const outbox& out) {
  return said<internal::StatusUpdated>(out).status();
}

}  // namespace

TEST_CASE("an executor that does not subscribe within a minute of its launch is destroyed and its tasks have failed") {
  agent_fixture f;
  f.registered();
  f.run(custom_task());
  auto container = container_of(f);
  f.pass(30s);
  f.launched(container);  // the minute counts from here
  f.ping();
  CHECK(all_said<internal::DestroyContainer>(f.pass(59s)).empty());
  CHECK(all_said<internal::DestroyContainer>(f.pass(1s)).size() == 1);
  auto status = only_status(f.exited(container, 9));
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK(status.reason() == v1::TaskStatus::REASON_EXECUTOR_REGISTRATION_TIMEOUT);
}

TEST_CASE("a built-in executor that never comes up fails its task too") {
  agent_fixture f;
  f.registered();
  f.run(command_task());
  auto letters = f.pass(60s);
  REQUIRE(all_said<internal::StatusUpdated>(letters).size() == 1);
  CHECK(all_said<internal::StatusUpdated>(letters)[0].status().reason() ==
        v1::TaskStatus::REASON_EXECUTOR_REGISTRATION_TIMEOUT);
  CHECK(all_said<internal::RetireExecutor>(letters).size() == 1);
}

TEST_CASE("where a custom executor's process is, is recorded") {
  agent_fixture f;
  f.registered();
  f.run(custom_task());
  CHECK(f.launched(container_of(f)).edits.size() == 1);
  CHECK(f.launched(container_of(f)).edits.empty());
}

TEST_CASE("a container that cannot be launched fails the tasks of its executor with the containerizer's words") {
  agent_fixture f;
  f.registered();
  f.run(custom_task("t-1"));
  internal::ContainerLaunchFailed failed;
  failed.mutable_container_id()->set_value(container_of(f));
  failed.set_message("no user 'tina'");
  const auto& out = f.hear(containerizer_address, failed);
  CHECK(only_status(out).state() == v1::TASK_FAILED);
  CHECK(only_status(out).reason() == v1::TaskStatus::REASON_CONTAINER_LAUNCH_FAILED);
  CHECK(only_status(out).message().find("no user 'tina'") != std::string::npos);
}

TEST_CASE("a custom executor's unasked end takes its tasks with it, and the master is told") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task("t-1"));
  f.run(custom_task("t-2"));
  f.update(container, f.status(v1::TASK_FINISHED, "t-2"));
  const auto& out = f.exited(container, 1 << 8);
  CHECK(said<internal::ExecutorExited>(out).executor_id().value() == "e-1");
  CHECK(said<internal::ExecutorExited>(out).status() == 1 << 8);
  CHECK(only_status(out).task_id().value() == "t-1");
  CHECK(only_status(out).state() == v1::TASK_GONE);
  CHECK(only_status(out).reason() == v1::TaskStatus::REASON_EXECUTOR_TERMINATED);
  CHECK(only_status(out).message() == "Executor terminated: it exited with status 1");
  CHECK(f.exited(container, 0).letters.empty());
}

TEST_CASE("a custom executor that ran into a limit fails its tasks with the limit's figures") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  internal::ContainerExited exit;
  exit.mutable_container_id()->set_value(container);
  exit.set_status(9);
  exit.set_limitation_reason(v1::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  exit.set_limitation_message("Memory limit exceeded");
  auto status = only_status(f.hear(containerizer_address, exit));
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK(status.reason() == v1::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  CHECK(status.message() == "Memory limit exceeded");
}

TEST_CASE("an ended executor is kept while its tasks are not acknowledged, and may come back under its name") {
  agent_fixture f;
  f.registered();
  auto first = f.start(custom_task("t-1"));
  auto status = only_status(f.exited(first, 0));
  CHECK(f.keys_under("agent/executor/").size() == 1);
  f.run(custom_task("t-2"));
  auto second = container_of(f);
  CHECK(second != first);
  f.subscribe(second);
  f.acknowledge(status);
  CHECK(f.keys_under("agent/task/").size() == 1);
  f.exited(first, 0);  // late: nobody's container now
  CHECK(f.view().frameworks(0).executors(0).phase() == "running");
}

TEST_CASE("once its last task is acknowledged an ended executor is forgotten") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  auto status = only_status(f.exited(container, 0));
  f.acknowledge(status);
  CHECK(f.keys_under("agent/").size() == 1);
}

TEST_CASE("a subscription that is repeated over a standing link launches again what may be on its way") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  CHECK(is_said<executor_api::Event::Launch>(f.subscribe(container)));
}

TEST_CASE("a custom executor that comes back without a task that it never reported has lost it") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task("t-1"));
  f.run(custom_task("t-2"));
  f.run(custom_task("t-3"));
  f.update(container, f.status(v1::TASK_RUNNING, "t-3"));
  f.disconnected(address(internal::EXECUTOR, container));
  executor_api::Call::Subscribe call;
  *call.add_unacknowledged_tasks() = custom_task("t-2");
  const auto& out = f.subscribe(container, call);
  CHECK(only_status(out).task_id().value() == "t-1");
  CHECK(only_status(out).state() == v1::TASK_DROPPED);
  CHECK_FALSE(is_said<executor_api::Event::Launch>(out));
}

TEST_CASE("what an executor reports of a task that the agent would hand to it again is taken") {
  agent_fixture f;
  f.registered();
  f.run(custom_task("t-1"));
  const auto container = container_of(f);
  executor_api::Call::Subscribe call;
  *call.add_unacknowledged_updates()->mutable_status() = f.status(v1::TASK_RUNNING, "t-1");
  const auto& out = f.subscribe(container, call);
  CHECK(only_status(out).state() == v1::TASK_RUNNING);
  CHECK_FALSE(is_said<executor_api::Event::Launch>(out));
}

TEST_CASE("a custom executor that runs a task after its end was told is to end it") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task("t-1"));
  f.disconnected(address(internal::EXECUTOR, container));
  CHECK(only_status(f.subscribe(container)).state() == v1::TASK_DROPPED);
  const auto& late = f.update(container, f.status(v1::TASK_RUNNING, "t-1"));
  CHECK(is_said<executor_api::Event::Acknowledged>(late));
  CHECK(said<executor_api::Event::Kill>(late).task_id().value() == "t-1");
  CHECK_FALSE(is_said<internal::StatusUpdated>(late));
  CHECK_FALSE(is_said<executor_api::Event::Kill>(f.update(container, f.status(v1::TASK_KILLED, "t-1"))));
}

TEST_CASE("a built-in executor that comes back without its task is handed it again") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  CHECK(is_said<executor_api::Event::Launch>(f.subscribe(container)));
}

TEST_CASE("updates that travel with a subscription are taken as any other") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  executor_api::Call::Subscribe call;
  *call.add_unacknowledged_updates()->mutable_status() = f.status(v1::TASK_RUNNING);
  const auto& out = f.subscribe(container, call);
  CHECK(only_status(out).state() == v1::TASK_RUNNING);
  CHECK(is_said<executor_api::Event::Acknowledged>(out));
  CHECK_FALSE(is_said<executor_api::Event::Launch>(out));
  CHECK(all_said<internal::StatusUpdated>(f.subscribe(container, call)).empty());
}

TEST_CASE("tasks that come while the executor is away wait for it") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task("t-1"));
  f.update(container, f.status(v1::TASK_RUNNING, "t-1"));
  f.disconnected(address(internal::EXECUTOR, container));
  CHECK(f.run(custom_task("t-2")).letters.empty());
  CHECK(said<executor_api::Event::Launch>(f.subscribe(container)).task().task_id().value() == "t-2");
}

TEST_CASE("an executor that nobody knows, or that is ending, is told to shut down") {
  agent_fixture f;
  f.registered();
  CHECK(is_said<internal::ShutdownExecutor>(f.subscribe("stranger")));
  auto container = f.start(custom_task());
  f.shutdown_executor("e-1");
  const auto& out = f.subscribe(container);
  CHECK(is_said<internal::ShutdownExecutor>(out));
  CHECK_FALSE(is_said<executor_api::Event::Subscribed>(out));
}
