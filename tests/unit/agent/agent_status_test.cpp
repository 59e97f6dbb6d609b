#include "tests/unit/agent/agent_fixture.hpp"

using namespace troupe;
using namespace troupe::testing;

TEST_CASE("an update is completed, recorded, acknowledged to the executor and sent to the master in one step") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  auto status = f.status(v1::TASK_RUNNING);
  const auto& out = f.update(container, status);
  CHECK(out.edits.size() == 2);  // the task's new state, and the update
  CHECK(f.keys_under("agent/update/f-1/t-1/").size() == 1);
  auto sent = said<internal::StatusUpdated>(out);
  CHECK(sent.agent_id().value() == "agent-1");
  CHECK(sent.framework_id().value() == "f-1");
  CHECK(sent.executor_id().value() == "t-1");
  CHECK(sent.status().agent_id().value() == "agent-1");
  CHECK(sent.status().executor_id().value() == "t-1");
  CHECK(sent.status().uuid() == status.uuid());
  CHECK(sent.status().has_timestamp());
  CHECK(sent.status().container_status().container_id().value() == container);
  CHECK(sent.latest_state() == v1::TASK_RUNNING);
  CHECK(said<executor_api::Event::Acknowledged>(out).uuid() == status.uuid());
}

TEST_CASE("an update that comes twice is acknowledged twice and recorded once, waiting or acknowledged") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  auto status = f.status(v1::TASK_RUNNING);
  f.update(container, status);
  auto only_acknowledged = [&] {
    const auto& out = f.update(container, status);
    return out.edits.empty() && out.letters.size() == 1 && is_said<executor_api::Event::Acknowledged>(out);
  };
  CHECK(only_acknowledged());
  f.acknowledge(status);
  CHECK(only_acknowledged());
}

TEST_CASE("one update of a task is under way at a time; an acknowledgement brings the next") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  auto first = f.status(v1::TASK_STARTING);
  auto second = f.status(v1::TASK_RUNNING);
  f.update(container, first);
  CHECK_FALSE(is_said<internal::StatusUpdated>(f.update(container, second)));
  auto next = said<internal::StatusUpdated>(f.acknowledge(first));
  CHECK(next.status().uuid() == second.uuid());
  CHECK(f.keys_under("agent/update/").size() == 1);
}

TEST_CASE("what is sent carries the newest state beside the oldest update") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  f.update(container, f.status(v1::TASK_STARTING));
  f.update(container, f.status(v1::TASK_RUNNING));
  auto again = all_said<internal::StatusUpdated>(f.pass(10s));
  REQUIRE(again.size() == 1);
  CHECK(again[0].status().state() == v1::TASK_STARTING);
  CHECK(again[0].latest_state() == v1::TASK_RUNNING);
}

TEST_CASE("when a task ends, the update that waits is sent again at once, for the news that come with it") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  f.update(container, f.status(v1::TASK_STARTING));
  CHECK_FALSE(is_said<internal::StatusUpdated>(f.update(container, f.status(v1::TASK_RUNNING))));
  const auto& out = f.update(container, f.status(v1::TASK_FINISHED));
  CHECK(said<internal::StatusUpdated>(out).status().state() == v1::TASK_STARTING);
  CHECK(said<internal::StatusUpdated>(out).latest_state() == v1::TASK_FINISHED);
}

TEST_CASE("an update is sent again after 10 s, then less and less often, for ever") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  f.update(container, f.status(v1::TASK_RUNNING));
  std::size_t sent = 0;
  for (int i = 0; i < 24 * 60; ++i) {  // a day, with pings
    sent += all_said<internal::StatusUpdated>(f.pass(60s)).size();
    f.ping();
  }
  CHECK(sent > 140);  // six an hour at the least
  CHECK(sent < 160);
}

TEST_CASE("news of a framework bring every head of it at once, for its scheduler may be back") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  auto status = f.status(v1::TASK_RUNNING);
  f.update(container, status);
  f.update(container, f.status(v1::TASK_FINISHED));
  internal::FrameworkUpdated updated;
  *updated.mutable_framework() = framework_info();
  CHECK(said<internal::StatusUpdated>(f.hear(leader(), updated)).status().uuid() == status.uuid());
  updated.mutable_framework()->mutable_id()->set_value("f-2");
  CHECK(f.hear(leader(), updated).letters.empty());
}

TEST_CASE("without a master nothing is sent, and a new registration brings every head once") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  f.disconnected(leader());
  f.update(container, f.status(v1::TASK_STARTING));
  f.update(container, f.status(v1::TASK_RUNNING));
  CHECK_FALSE(is_said<internal::StatusUpdated>(f.last()));
  CHECK(is_said<executor_api::Event::Acknowledged>(f.last()));
  CHECK(all_said<internal::StatusUpdated>(f.pass(1h)).empty());
  CHECK(said<internal::StatusUpdated>(f.registered()).status().state() == v1::TASK_STARTING);
  CHECK_FALSE(is_said<internal::StatusUpdated>(f.registered()));
}

TEST_CASE("an acknowledgement that is late, strange or repeated changes nothing") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  auto first = f.status(v1::TASK_STARTING);
  auto second = f.status(v1::TASK_RUNNING);
  f.update(container, first);
  f.update(container, second);
  CHECK(f.acknowledge(second).edits.empty());
  CHECK(f.acknowledge(f.status(v1::TASK_STARTING)).edits.empty());
  f.acknowledge(first);
  CHECK(f.acknowledge(first).edits.empty());
  CHECK(f.acknowledge(second, "f-2").edits.empty());
}

TEST_CASE("the end of a command task, once acknowledged, clears it, its executor and its framework away") {
  agent_fixture f;
  f.registered();
  auto container = f.start(command_task());
  auto end = f.status(v1::TASK_FINISHED);
  CHECK_FALSE(is_said<internal::RetireExecutor>(f.update(container, end)));
  const auto& out = f.acknowledge(end);
  CHECK(said<internal::RetireExecutor>(out).executor().id() == container);
  CHECK(f.keys_under("agent/").size() == 1);  // agent/self
  const auto view = f.view();
  CHECK(view.frameworks().empty());
  REQUIRE(view.completed_frameworks_size() == 1);
  const auto& past = view.completed_frameworks(0).completed_executors(0);
  CHECK(past.sandbox().find(container) != std::string::npos);
  CHECK(past.completed_tasks(0).state() == v1::TASK_FINISHED);
}

TEST_CASE("a custom executor lives on after its tasks") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  auto end = f.status(v1::TASK_FINISHED);
  f.update(container, end);
  CHECK(f.acknowledge(end).letters.empty());
  CHECK(f.keys_under("agent/executor/").size() == 1);
  CHECK(f.keys_under("agent/task/").empty());
  CHECK(is_said<executor_api::Event::Launch>(f.run(custom_task("t-2"))));
}

TEST_CASE("nothing follows a terminal update, and no step is taken back") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.update(container, f.status(v1::TASK_RUNNING));
  CHECK(f.update(container, f.status(v1::TASK_STARTING)).edits.empty());
  CHECK(is_said<executor_api::Event::Acknowledged>(f.last()));
  f.update(container, f.status(v1::TASK_KILLED));
  CHECK(f.update(container, f.status(v1::TASK_FINISHED)).edits.empty());
  CHECK(is_said<executor_api::Event::Acknowledged>(f.last()));
}

TEST_CASE("a repetition of a state passes, for it may carry news") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  f.update(container, f.status(v1::TASK_RUNNING));
  f.update(container, f.status(v1::TASK_RUNNING));
  CHECK(f.keys_under("agent/update/").size() == 2);
}

TEST_CASE("an update that an executor cannot make is refused by name of the field") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  auto status = f.status(v1::TASK_RUNNING);
  std::string field;
  SECTION("a short uuid") {
    status.set_uuid("short"), field = "status.uuid";
  }
  SECTION("staging") {
    status.set_state(v1::TASK_STAGING), field = "status.state";
  }
  SECTION("a master's state") {
    status.set_state(v1::TASK_UNREACHABLE), field = "status.state";
  }
  SECTION("another source") {
    status.set_source(v1::TaskStatus::SOURCE_MASTER), field = "status.source";
  }
  SECTION("another executor") {
    status.mutable_executor_id()->set_value("e-2"), field = "status.executor_id";
  }
  const auto& out = f.update(container, status);
  CHECK(out.edits.empty());
  CHECK(out.letters.size() == 1);
  CHECK(said<executor_api::Event::Error>(out).message().rfind(field, 0) == 0);
}

TEST_CASE("an update of an unknown task is acknowledged only, of an unknown executor not even that") {
  agent_fixture f;
  f.registered();
  auto container = f.start(custom_task());
  const auto& out = f.update(container, f.status(v1::TASK_RUNNING, "t-9"));
  CHECK(out.edits.empty());
  CHECK(is_said<executor_api::Event::Acknowledged>(out));
  CHECK(f.update("nobody", f.status(v1::TASK_RUNNING)).letters.empty());
}
