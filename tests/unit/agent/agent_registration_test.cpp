#include "tests/unit/agent/agent_fixture.hpp"

using namespace troupe;
using namespace troupe::testing;

TEST_CASE("an agent without an id asks to be registered, again and again until it is answered") {
  agent_fixture f;
  auto calls = all_said<internal::RegisterAgent>(f.pass(10min));
  REQUIRE(calls.size() > 10);
  CHECK(calls.front().info().hostname() == "host");
  CHECK_FALSE(calls.front().info().has_id());
  f.registered();
  CHECK(all_said<internal::RegisterAgent>(f.pass(74s)).empty());
}

TEST_CASE("the first attempt comes within the first second") {
  agent_fixture f;
  CHECK_FALSE(all_said<internal::RegisterAgent>(f.pass(1s)).empty());
}

TEST_CASE("a restarted agent registers as soon as it has a link") {
  agent_fixture f;
  f.registered();
  f.recover();
  f.connected(leader());
  CHECK_FALSE(all_said<internal::ReregisterAgent>(f.pass(0s)).empty());
}

TEST_CASE("who it is, is recorded in the step that learns it, and kept over a restart") {
  agent_fixture f;
  f.registered(3);
  CHECK(f.keys_under("agent/self").size() == 1);
  CHECK(f.core().epoch() == 3);
  f.recover();
  CHECK(f.core().epoch() == 3);
  auto calls = all_said<internal::ReregisterAgent>(f.pass(1s));
  REQUIRE_FALSE(calls.empty());
  CHECK(calls.front().info().id().value() == "agent-1");
  CHECK(calls.front().cluster_id() == "cl");
}

TEST_CASE("a registration that comes twice writes nothing the second time") {
  agent_fixture f;
  f.registered();
  CHECK(f.registered().edits.empty());
}

TEST_CASE("a registration by a deposed master, of another cluster, or under another id is ignored") {
  agent_fixture f;
  f.registered(5);
  f.disconnected(leader());
  f.registered(4);
  CHECK_FALSE(f.view().registered());
  f.registered(6, "agent-2");
  CHECK_FALSE(f.view().registered());
  f.registered(6, "agent-1", "another");
  CHECK_FALSE(f.view().registered());
  f.registered(6);
  CHECK(f.view().registered());
  CHECK(f.core().epoch() == 6);
}

TEST_CASE("nothing that a deposed master says has any effect") {
  agent_fixture f;
  f.registered(5);
  internal::RunTask run;
  *run.mutable_framework() = framework_info();
  *run.mutable_task() = command_task();
  const auto& out = f.hear(leader(), run, 4);
  CHECK(out.letters.empty());
  CHECK(out.edits.empty());
  CHECK(f.view().frameworks().empty());
  CHECK_FALSE(f.hear(leader(), run, 5).letters.empty());
}

TEST_CASE("a ping is answered, and moves the moment at which the master is given up") {
  agent_fixture f;
  f.registered();
  f.pass(70s);
  auto pong = said<internal::Pong>(f.ping());
  CHECK(pong.number() == 9);
  CHECK(pong.agent_id().value() == "agent-1");
  f.pass(74s);
  CHECK(f.view().registered());
  f.pass(1s);
  CHECK_FALSE(f.view().registered());
}

TEST_CASE("an agent that has heard no ping for long registers again") {
  agent_fixture f;
  f.registered();
  CHECK(all_said<internal::ReregisterAgent>(f.pass(75s - 1ns)).empty());
  CHECK_FALSE(all_said<internal::ReregisterAgent>(f.pass(2s)).empty());
}

TEST_CASE("an agent that is pinged as unconnected registers again") {
  agent_fixture f;
  f.registered();
  CHECK(is_said<internal::Pong>(f.ping(false)));
  CHECK_FALSE(all_said<internal::ReregisterAgent>(f.pass(1s)).empty());
}

TEST_CASE("a ping before any registration is not answered") {
  agent_fixture f;
  CHECK(f.ping().letters.empty());
}

TEST_CASE("a new connection to the master starts the attempts anew") {
  agent_fixture f;
  f.registered();
  f.disconnected(leader());
  CHECK_FALSE(f.view().registered());
  f.pass(1h);
  f.connected(leader());
  CHECK_FALSE(all_said<internal::ReregisterAgent>(f.pass(1s)).empty());
}

TEST_CASE("a returning agent lists what it has") {
  agent_fixture f;
  f.registered();
  f.start(command_task("t-1"), "f-1");
  auto custom = f.start(custom_task("t-2"), "f-2");
  auto running = f.status(v1::TASK_RUNNING, "t-2");
  f.update(custom, running);
  f.update(custom, f.status(v1::TASK_FINISHED, "t-2"));
  f.disconnected(leader());
  auto calls = all_said<internal::ReregisterAgent>(f.pass(1s));
  REQUIRE_FALSE(calls.empty());
  const auto& call = calls.front();
  REQUIRE(call.frameworks_size() == 2);
  REQUIRE(call.tasks_size() == 2);
  CHECK(call.tasks(0).state() == v1::TASK_STAGING);
  CHECK_FALSE(call.tasks(0).has_executor_id());
  CHECK(call.tasks(1).state() == v1::TASK_FINISHED);
  CHECK(call.tasks(1).status_update_state() == v1::TASK_RUNNING);
  CHECK(call.tasks(1).status_update_uuid() == running.uuid());
  CHECK(call.tasks(1).executor_id().value() == "e-1");
  REQUIRE(call.executors_size() == 1);
  CHECK(call.executors(0).executor_id().value() == "e-1");
}

TEST_CASE("a refusal is shown, and the agent keeps asking") {
  agent_fixture f;
  internal::AgentRefused refused;
  refused.set_reason("another cluster");
  refused.set_remedy("Empty the work folder");
  f.hear(leader(), refused);
  CHECK(f.view().refusal() == "another cluster. Empty the work folder");
  CHECK_FALSE(f.view().dismissed());
  CHECK(all_said<internal::RegisterAgent>(f.pass(1min)).size() == 1);
}

TEST_CASE("a dismissed agent ends what it runs, takes nothing, and is finished when all has ended") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  internal::AgentRefused refused;
  refused.set_reason("marked gone");
  refused.set_shutdown(true);
  CHECK(is_said<internal::ShutdownExecutor>(f.hear(leader(), refused)));
  CHECK_FALSE(f.core().finished());
  const auto told = said<internal::ProgramEvent>(f.exited(container, 0));
  CHECK(f.core().finished());
  CHECK(told.name() == "dismissed");
  CHECK(told.data() == "marked gone");
  CHECK(f.run(command_task("t-9"), "f-9").letters.empty());
  CHECK(f.pass(1h).empty());
}
