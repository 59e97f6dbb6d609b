#include "tests/unit/agent/agent_fixture.hpp"

#include "storage/keys.hpp"

using namespace troupe;
using namespace troupe::testing;

namespace {

/// Of another boot of the same machine, with what `before` remembers.
agent_fixture after_reboot(const agent_fixture& before) {
  agent_fixture after(agent_fixture::with_boot_id("boot-2"));
  after.restore(before.store());
  return after;
}

}  // namespace

TEST_CASE("after a restart executors are started again, and nothing is destroyed") {
  agent_fixture f;
  f.registered();
  auto built_in = f.start(command_task("t-1"), "f-1");
  auto custom = f.start(custom_task("t-2"), "f-2");
  f.launched(custom);
  f.update(built_in, f.status(v1::TASK_RUNNING, "t-1"));
  f.recover();
  CHECK(said<internal::SpawnExecutor>(f.last()).container_id().value() == built_in);
  CHECK(said<internal::SpawnExecutor>(f.last()).resumes());
  CHECK(said<internal::LaunchContainer>(f.last()).container_id().value() == custom);
  CHECK(said<internal::LaunchContainer>(f.last()).only_if_known());
  CHECK(said<internal::KeepContainers>(f.last()).container_ids_size() == 2);
  CHECK_FALSE(is_said<internal::DestroyContainer>(f.last()));
  CHECK_FALSE(is_said<internal::RetireExecutor>(f.last()));
}

TEST_CASE("containers are kept before any is launched again") {
  agent_fixture f;
  f.registered();
  f.start(custom_task());
  f.recover();
  std::vector<std::uint32_t> asked;
  for (const auto& letter : f.last().letters)
    if (same(letter.to, containerizer_address)) asked.push_back(letter.verb);
  CHECK(asked == std::vector<std::uint32_t>{verb_number<internal::KeepContainers>::value,
                                            verb_number<internal::LaunchContainer>::value});
}

TEST_CASE("a built-in executor that subscribes after a restart is told its task and that it is to be killed") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  f.update(container, f.status(v1::TASK_RUNNING));
  f.kill("t-1");
  f.recover();
  const auto& out = f.subscribe(container);
  CHECK(said<executor_api::Event::Launch>(out).task().task_id().value() == "t-1");
  CHECK(said<executor_api::Event::Kill>(out).task_id().value() == "t-1");
}

TEST_CASE("the command of a task that was not reported yet may not have been started") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  f.recover();
  CHECK_FALSE(said<internal::SpawnExecutor>(f.last()).resumes());
  f.update(container, f.status(v1::TASK_STARTING));
  f.recover();
  CHECK_FALSE(said<internal::SpawnExecutor>(f.last()).resumes());
}

TEST_CASE("a built-in executor whose task has ended is released by the restarted agent, once") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  auto end = f.status(v1::TASK_FINISHED);
  f.update(container, end);
  f.recover();
  CHECK(said<internal::ReleaseContainer>(f.last()).container_id().value() == container);
  CHECK(is_said<internal::RetireExecutor>(f.last()));
  CHECK_FALSE(is_said<internal::SpawnExecutor>(f.last()));
  f.recover();
  CHECK(said<internal::KeepContainers>(f.last()).container_ids_size() == 0);
  CHECK_FALSE(is_said<internal::ReleaseContainer>(f.last()));
  CHECK(said<internal::StatusUpdated>(f.registered()).status().uuid() == end.uuid());
  f.acknowledge(end);
  CHECK(f.keys_under("agent/").size() == 1);
}

TEST_CASE("a custom executor has two seconds to return to a restarted agent") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.launched(container);
  f.recover();
  f.registered();
  CHECK(all_said<internal::DestroyContainer>(f.pass(1999ms)).empty());
  CHECK(all_said<internal::DestroyContainer>(f.pass(1ms)).size() == 1);
  auto status = said<internal::StatusUpdated>(f.exited(container, 9)).status();
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK(status.reason() == v1::TaskStatus::REASON_EXECUTOR_REREGISTRATION_TIMEOUT);
}

TEST_CASE("a custom executor that returned is asked nothing more") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.launched(container);
  f.update(container, f.status(v1::TASK_RUNNING));
  f.recover();
  const auto& out = f.subscribe(container);
  CHECK(is_said<executor_api::Event::Subscribed>(out));
  CHECK_FALSE(is_said<executor_api::Event::Launch>(out));
  CHECK(all_said<internal::DestroyContainer>(f.pass(1h)).empty());
}

TEST_CASE("a launch that a restart overtook is said again, unless the executor lists the task") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.launched(container);
  f.recover();
  executor_api::Call::Subscribe call;
  bool listed = GENERATE(true, false);
  if (listed) *call.add_unacknowledged_tasks() = custom_task();
  const auto& out = f.subscribe(container, call);
  CHECK(is_said<executor_api::Event::Launch>(out) != listed);
  CHECK_FALSE(is_said<internal::ShutdownExecutor>(out));
}

TEST_CASE("a custom executor that was not known to run is launched with what its tasks need") {
  agent_fixture f;
  f.registered();
  f.run(custom_task());
  auto container = container_of(f);
  auto before = said<internal::LaunchContainer>(f.last());
  f.recover();
  auto again = said<internal::LaunchContainer>(f.last());
  CHECK(again.SerializeAsString() == before.SerializeAsString());
  CHECK(all_said<executor_api::Event::Launch>(f.subscribe(container)).size() == 1);
}

TEST_CASE("a custom executor that ended while the agent was away takes its tasks with it") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.launched(container);
  f.recover();
  f.registered();
  const auto& out = f.exited(container, 1 << 8);
  CHECK(said<internal::StatusUpdated>(out).status().state() == v1::TASK_GONE);
  CHECK(said<internal::StatusUpdated>(out).status().reason() == v1::TaskStatus::REASON_EXECUTOR_TERMINATED);
  CHECK(said<internal::ExecutorExited>(out).executor_id().value() == "e-1");
  CHECK(said<internal::ReleaseContainer>(out).container_id().value() == container);
}

TEST_CASE("a custom executor of which nobody knows how it ended was lost with the restart") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.launched(container);
  f.recover();
  f.registered();
  auto status = said<internal::StatusUpdated>(f.exited(container, {})).status();
  CHECK(status.state() == v1::TASK_GONE);
  CHECK(status.reason() == v1::TaskStatus::REASON_AGENT_RESTARTED);
}

TEST_CASE("an executor that had ended before the restart is not started again") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.launched(container);
  f.exited(container, 9);
  f.recover();
  CHECK_FALSE(is_said<internal::LaunchContainer>(f.last()));
  CHECK(said<internal::KeepContainers>(f.last()).container_ids_size() == 0);
}

TEST_CASE("after a reboot every executor of before is ended, and its tasks end with that reason") {
  agent_fixture before;
  before.registered();
  auto built_in = before.start(command_task("t-1"), "f-1");
  auto custom = before.start(custom_task("t-2"), "f-2");
  auto f = after_reboot(before);
  CHECK(said<internal::RetireExecutor>(f.last()).executor().id() == built_in);
  CHECK(all_said<internal::DestroyContainer>(f.last()).size() == 2);
  f.registered();
  auto failed = said<internal::StatusUpdated>(f.exited(built_in, {})).status();
  CHECK(failed.state() == v1::TASK_FAILED);
  CHECK(failed.reason() == v1::TaskStatus::REASON_AGENT_RESTARTED);
  CHECK(failed.message().find("rebooted") != std::string::npos);
  const auto& out = f.exited(custom, {});
  CHECK(said<internal::StatusUpdated>(out).status().state() == v1::TASK_GONE);
  CHECK(said<internal::ExecutorExited>(out).executor_id().value() == "e-1");
}

TEST_CASE("after a reboot a destruction is asked for until it is answered") {
  agent_fixture before;
  before.registered();
  auto container = before.start(command_task());
  auto f = after_reboot(before);
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
  CHECK(said<internal::StatusUpdated>(f.registered()).status().uuid() == second.uuid());
  CHECK(said<internal::StatusUpdated>(f.acknowledge(second)).status().uuid() == third.uuid());
  f.acknowledge(third);
  CHECK(f.keys_under("agent/").size() == 1);
}

TEST_CASE("a task that had ended before the restart keeps its own end") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.launched(container);
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
  f.launched(container);
  auto status = f.status(v1::TASK_RUNNING);
  f.update(container, status);
  f.recover();
  executor_api::Call::Subscribe call;
  *call.add_unacknowledged_updates()->mutable_status() = status;
  const auto& out = f.subscribe(container, call);
  CHECK(out.edits.empty());
  CHECK(is_said<executor_api::Event::Acknowledged>(out));
  CHECK_FALSE(is_said<internal::ShutdownExecutor>(out));
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
  REQUIRE(f.last().letters.size() == 2);
  CHECK(said<internal::ProgramEvent>(f.last()).name() == "recovered");
  // What others may have left on the machine ends.
  CHECK(said<internal::KeepContainers>(f.last()).container_ids_size() == 0);
  CHECK(f.store().empty());
}
