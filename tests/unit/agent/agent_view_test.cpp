#include "tests/unit/agent/agent_fixture.hpp"

using namespace troupe;
using namespace troupe::testing;

TEST_CASE("the view shows who the agent is and what it has, queued, running and past") {
  agent_fixture f;
  f.registered(2);
  auto container = f.start(custom_task("t-1"));
  f.update(container, f.status(v1::TASK_RUNNING, "t-1"));
  auto past = f.status(v1::TASK_FINISHED, "t-2");
  f.run(custom_task("t-2"));
  f.update(container, past);
  f.acknowledge(past);
  f.disconnected(address(internal::EXECUTOR, container));
  f.run(custom_task("t-3"));
  auto view = f.view();
  CHECK(view.info().id().value() == "agent-1");
  CHECK(view.instance_id() == "instance");
  CHECK(view.registered());
  CHECK(view.master_epoch() == 2);
  CHECK(view.unacknowledged_updates() == 1);
  REQUIRE(view.frameworks_size() == 1);
  REQUIRE(view.frameworks(0).executors_size() == 1);
  const auto& executor = view.frameworks(0).executors(0);
  CHECK(executor.container_id().value() == container);
  CHECK(executor.sandbox() == "/work/agents/agent-1/frameworks/f-1/executors/e-1/runs/" + container);
  CHECK(executor.phase() == "running");
  REQUIRE(executor.tasks_size() == 1);
  CHECK(executor.tasks(0).statuses(0).state() == v1::TASK_RUNNING);
  REQUIRE(executor.queued_tasks_size() == 1);
  CHECK(executor.queued_tasks(0).task_id().value() == "t-3");
  REQUIRE(executor.completed_tasks_size() == 1);
  CHECK(executor.completed_tasks(0).task_id().value() == "t-2");
}

TEST_CASE("what is kept of the past is bounded") {
  auto options = agent_fixture::default_options();
  options.completed_executors_max = 2;
  options.completed_frameworks_max = 3;
  agent_fixture f(options);
  f.registered();
  for (int framework = 0; framework < 5; ++framework)
    for (int task = 0; task < 4; ++task) {
      auto id = "t-" + std::to_string(task);
      auto owner = "f-" + std::to_string(framework);
      auto container = f.start(command_task(id), owner);
      auto end = f.status(v1::TASK_FINISHED, id);
      f.update(container, end);
      f.acknowledge(end, owner);
    }
  auto view = f.view();
  REQUIRE(view.completed_frameworks_size() == 3);
  CHECK(view.completed_frameworks(0).info().id().value() == "f-2");
  CHECK(view.completed_frameworks(0).completed_executors_size() == 2);
  CHECK(view.completed_frameworks(0).completed_executors(1).info().executor_id().value() == "t-3");
}

TEST_CASE("a framework that comes back finds its past still shown") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task("t-1"));
  auto end = f.status(v1::TASK_FINISHED);
  f.update(container, end);
  f.acknowledge(end);
  f.run(command_task("t-2"));
  REQUIRE(f.view().frameworks_size() == 1);
  CHECK(f.view().completed_frameworks().empty());
  CHECK(f.view().frameworks(0).completed_executors_size() == 1);
}
