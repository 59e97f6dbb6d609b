#include "tests/unit/agent/agent_fixture.hpp"

#include "storage/keys.hpp"

using namespace troupe;
using namespace troupe::testing;

TEST_CASE("after a restart every executor of before is ended, and its tasks end with that reason") {
  agent_fixture f;
  f.registered();
  auto built_in = f.start(command_task("t-1"), "f-1");
  auto custom = f.start(custom_task("t-2"), "f-2");
  auto running = f.status(v1::TASK_RUNNING, "t-1");
  f.update(built_in, running);
  f.acknowledge(running);
  f.recover();
  CHECK(said<internal::RetireExecutor>(f.last()).executor().id() == built_in);
  CHECK(all_said<internal::DestroyContainer>(f.last()).size() == 2);
  f.registered();
  auto failed = said<internal::StatusUpdated>(f.exited(built_in, {})).status();
  CHECK(failed.state() == v1::TASK_FAILED);
  CHECK(failed.reason() == v1::TaskStatus::REASON_AGENT_RESTARTED);
  CHECK(failed.message().find("restarted") != std::string::npos);
  const auto& out = f.exited(custom, 9);
  CHECK(said<internal::StatusUpdated>(out).status().state() == v1::TASK_GONE);
  CHECK(said<internal::ExecutorExited>(out).executor_id().value() == "e-1");
}

TEST_CASE("after a restart a destruction is asked for until it is answered") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  f.recover();
  CHECK(all_said<internal::DestroyContainer>(f.pass(30s)).size() == 3);
  f.exited(container, {});
  CHECK(all_said<internal::DestroyContainer>(f.pass(1h)).empty());
}

TEST_CASE("after a restart the tasks are listed as they were, until they are known to have ended") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  f.update(container, f.status(v1::TASK_RUNNING));
  f.recover();
  auto calls = all_said<internal::ReregisterAgent>(f.pass(1s));
  REQUIRE_FALSE(calls.empty());
  REQUIRE(calls.front().tasks_size() == 1);
  CHECK(calls.front().tasks(0).state() == v1::TASK_RUNNING);
  CHECK(calls.front().frameworks(0).user() == "nobody");
}

TEST_CASE("a reboot in between is told") {
  agent_fixture before;
  before.registered();
  auto container = before.start(command_task());
  agent_fixture after(agent_fixture::with_boot_id("boot-2"));
  after.restore(before.store());
  after.registered();
  auto status = said<internal::StatusUpdated>(after.exited(container, {})).status();
  CHECK(status.message().find("rebooted") != std::string::npos);
  CHECK(status.reason() == v1::TaskStatus::REASON_AGENT_RESTARTED);
}

TEST_CASE("no update is lost by a restart, and their order is kept") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  auto first = f.status(v1::TASK_STARTING);
  auto second = f.status(v1::TASK_RUNNING);
  auto third = f.status(v1::TASK_FINISHED);
  for (const auto& status : {first, second, third}) f.update(container, status);
  f.recover();
  CHECK(said<internal::StatusUpdated>(f.registered()).status().uuid() == first.uuid());
  CHECK(said<internal::StatusUpdated>(f.acknowledge(first)).status().uuid() == second.uuid());
  f.recover();
  f.exited(container, {});
  CHECK(said<internal::StatusUpdated>(f.registered()).status().uuid() == second.uuid());
  CHECK(said<internal::StatusUpdated>(f.acknowledge(second)).status().uuid() == third.uuid());
  f.acknowledge(third);
  CHECK(f.keys_under("agent/").size() == 1);
}

TEST_CASE("a task that had ended before the restart keeps its own end") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  auto end = f.status(v1::TASK_FINISHED);
  f.update(container, end);
  f.recover();
  f.registered();
  CHECK_FALSE(is_said<internal::StatusUpdated>(f.exited(container, 0)));
  f.acknowledge(end);
  CHECK(f.keys_under("agent/").size() == 1);
}

TEST_CASE("an update that the executor repeats to a restarted agent is known") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  auto status = f.status(v1::TASK_RUNNING);
  f.update(container, status);
  f.recover();
  executor_api::Call::Subscribe call;
  *call.add_unacknowledged_updates()->mutable_status() = status;
  const auto& out = f.subscribe(container, call);
  CHECK(out.edits.empty());
  CHECK(is_said<executor_api::Event::Acknowledged>(out));
  CHECK(is_said<internal::ShutdownExecutor>(out));
}

TEST_CASE("a record that cannot be read is named, and the rest is recovered") {
  agent_fixture f;
  f.registered();
  f.start(command_task());
  auto store = f.store();
  store[keys::agent_executor(framework_id("f-1"), executor_id("t-1"))] = "rubbish";
  store["agent/nonsense"] = "rubbish";
  agent_fixture after;
  const auto& out = after.restore(store);
  std::size_t named = 0;
  for (const auto& line : out.log) named += line.rfind("record.unreadable key=agent/", 0) == 0;
  CHECK(named == 2);
  REQUIRE(after.view().frameworks_size() == 1);
  CHECK(after.view().frameworks(0).executors(0).tasks(0).task_id().value() == "t-1");
}

TEST_CASE("a restart with nothing to remember is a fresh start") {
  agent_fixture f;
  f.recover();
  CHECK(f.last().letters.empty());
  CHECK(f.store().empty());
}
