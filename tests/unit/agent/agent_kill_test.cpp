#include "tests/unit/agent/agent_fixture.hpp"

using namespace troupe;
using namespace troupe::testing;

TEST_CASE("a kill is passed on to the executor, each time it comes") {
  agent_fixture f;
  f.registered();
  f.start(command_task());
  internal::KillTask kill;
  kill.mutable_framework_id()->set_value("f-1");
  kill.mutable_task_id()->set_value("t-1");
  kill.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(5);
  auto event = said<executor_api::Event::Kill>(f.hear(leader(), kill));
  CHECK(event.task_id().value() == "t-1");
  CHECK(event.kill_policy().grace_period().nanoseconds() == 5);
  CHECK(is_said<executor_api::Event::Kill>(f.kill("t-1")));
}

TEST_CASE("a task that is killed before its executor has it never starts") {
  agent_fixture f;
  f.registered();
  f.run(command_task());
  auto container = container_of(f);
  const auto& out = f.kill("t-1");
  auto update = said<internal::StatusUpdated>(out);
  CHECK(update.status().state() == v1::TASK_KILLED);
  CHECK(update.status().reason() == v1::TaskStatus::REASON_TASK_KILLED_DURING_LAUNCH);
  CHECK(is_said<internal::RetireExecutor>(out));
  CHECK_FALSE(is_said<executor_api::Event::Launch>(f.subscribe(container)));
  f.acknowledge(update.status());
  CHECK(f.keys_under("agent/").size() == 1);
}

TEST_CASE("a custom executor that was started only for killed tasks is ended") {
  agent_fixture f;
  f.registered();
  f.run(custom_task("t-1"));
  f.run(custom_task("t-2"));
  auto container = container_of(f);
  CHECK_FALSE(is_said<internal::DestroyContainer>(f.kill("t-1")));
  CHECK(said<internal::DestroyContainer>(f.kill("t-2")).container_id().value() == container);
  f.exited(container, 9);
  CHECK(f.view().unacknowledged_updates() == 2);
}

TEST_CASE("a kill while the executor is away is passed on when it is back") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.update(container, f.status(v1::TASK_RUNNING));
  f.disconnected(address(internal::EXECUTOR, container));
  CHECK(f.kill("t-1").letters.empty());
  CHECK(is_said<executor_api::Event::Kill>(f.subscribe(container)));
}

TEST_CASE("a kill of a task that has ended is ignored: its end is on the way") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.update(container, f.status(v1::TASK_FINISHED));
  CHECK(f.kill("t-1").letters.empty());
}

TEST_CASE("a kill of a task that never arrived is answered once, until it is acknowledged") {
  agent_fixture f;
  f.registered();
  auto update = said<internal::StatusUpdated>(f.kill("t-1"));
  CHECK(update.status().state() == v1::TASK_DROPPED);
  CHECK(f.kill("t-1").letters.empty());
  CHECK(all_said<internal::StatusUpdated>(f.pass(10s)).size() == 1);
  f.acknowledge(update.status());
  CHECK(f.keys_under("agent/update/").empty());
}

TEST_CASE("of the tasks that the master asks about, those that the agent does not have are reported as dropped") {
  agent_fixture f;
  f.registered();
  f.start(command_task("t-1"));
  internal::ReconcileTasks reconcile;
  for (const auto* id : {"t-1", "t-2"}) {
    auto* entry = reconcile.add_tasks();
    entry->mutable_framework_id()->set_value("f-1");
    entry->mutable_task_id()->set_value(id);
  }
  auto update = said<internal::StatusUpdated>(f.hear(leader(), reconcile));
  CHECK(update.status().task_id().value() == "t-2");
  CHECK(update.status().state() == v1::TASK_DROPPED);
  CHECK(update.status().reason() == v1::TaskStatus::REASON_RECONCILIATION);
  CHECK(f.hear(leader(), reconcile).letters.empty());
}

TEST_CASE("a custom executor is asked to end, and after its grace its container is destroyed") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  auto asked = said<internal::ShutdownExecutor>(f.shutdown_executor("e-1"));
  CHECK(asked.executor_id().value() == "e-1");
  CHECK_FALSE(is_said<internal::ShutdownExecutor>(f.shutdown_executor("e-1")));
  CHECK(all_said<internal::DestroyContainer>(f.pass(4999ms)).empty());
  CHECK(all_said<internal::DestroyContainer>(f.pass(1ms)).size() == 1);
  CHECK(all_said<internal::DestroyContainer>(f.pass(10s)).size() == 1);
  const auto& out = f.exited(container, 9);
  CHECK(said<internal::StatusUpdated>(out).status().state() == v1::TASK_GONE);
  CHECK(said<internal::ExecutorExited>(out).status() == 9);
}

TEST_CASE("an executor's own grace counts") {
  agent_fixture f;
  f.registered();
  auto task = custom_task();
  task.mutable_executor()->mutable_shutdown_grace_period()->set_nanoseconds(std::chrono::nanoseconds(20s).count());
  f.start(task);
  f.shutdown_executor("e-1");
  CHECK(all_said<internal::DestroyContainer>(f.pass(19s)).empty());
  CHECK(all_said<internal::DestroyContainer>(f.pass(1s)).size() == 1);
}

TEST_CASE("a removed framework's executors end, and nothing of it is remembered then") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task("t-1"));
  f.update(container, f.status(v1::TASK_RUNNING));
  CHECK(is_said<internal::ShutdownExecutor>(f.shutdown_framework()));
  f.update(container, f.status(v1::TASK_KILLED));
  CHECK(said<internal::StatusUpdated>(f.last()).latest_state() == v1::TASK_KILLED);
  f.exited(container, 0);
  CHECK(f.keys_under("agent/").size() == 1);
  CHECK(f.view().unacknowledged_updates() == 0);
  CHECK(f.run(command_task("t-2")).edits.empty());
}

TEST_CASE("a removed framework's command task is killed by its executor") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  f.update(container, f.status(v1::TASK_RUNNING));
  CHECK(is_said<internal::ShutdownExecutor>(f.shutdown_framework()));
  const auto& out = f.update(container, f.status(v1::TASK_KILLED));
  CHECK(is_said<internal::RetireExecutor>(out));
  CHECK(f.keys_under("agent/").size() == 1);
}

TEST_CASE("a framework that is removed while its executor does not answer goes with its container") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  f.shutdown_framework();
  CHECK(all_said<internal::DestroyContainer>(f.pass(5s)).size() == 1);
  auto update = said<internal::StatusUpdated>(f.exited(container, {}));
  CHECK(update.status().state() == v1::TASK_KILLED);
  CHECK(update.status().reason() == v1::TaskStatus::REASON_FRAMEWORK_REMOVED);
  CHECK(f.keys_under("agent/").size() == 1);
}

TEST_CASE("a removal goes on after a restart") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.shutdown_framework();
  f.recover();
  f.exited(container, {});
  CHECK(f.keys_under("agent/").size() == 1);
}

TEST_CASE("the removal of an unknown framework drops what was still to be told of it") {
  agent_fixture f;
  f.registered();
  f.kill("t-1", "f-7");
  CHECK(f.keys_under("agent/update/").size() == 1);
  f.shutdown_framework("f-7");
  CHECK(f.keys_under("agent/update/").empty());
}

TEST_CASE("of a removed framework no task is reported as absent") {
  agent_fixture f;
  f.registered();
  f.kill("t-5");
  auto container = f.start(custom_task("t-1"));
  f.shutdown_framework();
  CHECK(f.keys_under("agent/update/").empty());
  CHECK(f.kill("t-9").letters.empty());
  f.exited(container, 0);
  CHECK(f.kill("t-9").letters.empty());
  CHECK(f.keys_under("agent/").size() == 1);
}

TEST_CASE("an executor that was destroyed has ended once it reports its task's end") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  f.update(container, f.status(v1::TASK_RUNNING));
  f.shutdown_executor("t-1");
  CHECK(all_said<internal::DestroyContainer>(f.pass(5s)).size() == 1);
  CHECK(is_said<internal::RetireExecutor>(f.update(container, f.status(v1::TASK_KILLED))));
  CHECK(all_said<internal::DestroyContainer>(f.pass(1h)).empty());
}
