#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

void launch_with_executor(master_driver& m, const framework_id& f, const agent_id& a, const std::string& task) {
  const auto o = m.offer(f, a, "cpus:1;mem:256");
  m.hear(framework_at("f"),
         accepting({o}, {launching({executor_task(task, a, "cpus:0.5;mem:64", "e", "cpus:0.1;mem:32")})}));
  REQUIRE(m.count<internal::RunTask>() == 1);
}

internal::ExecutorExited exited(const framework_id& f, const agent_id& a) {
  internal::ExecutorExited event;
  *event.mutable_agent_id() = a.proto();
  *event.mutable_framework_id() = f.proto();
  event.mutable_executor_id()->set_value("e");
  event.set_status(256);
  return event;
}

}  // namespace

TEST_CASE("an executor is charged once however many tasks it runs, until it exits", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  launch_with_executor(m, f, a, "t1");
  CHECK(parsed(m.one<internal::SettleOffer>(allocator()).used()) == text("cpus:0.6;mem:96").allocated_to("*"));
  CHECK(m.one<internal::RunTask>(agent_at("a")).task().executor().framework_id().value() == f.value());
  launch_with_executor(m, f, a, "t2");
  CHECK(parsed(m.one<internal::SettleOffer>(allocator()).used()) == text("cpus:0.5;mem:64").allocated_to("*"));
  CHECK(m.offer(f, a, "cpus:1").executor_ids(0).value() == "e");
  CHECK(m.view().frameworks(0).executors_size() == 1);

  m.report("a", a, f, "t1", v1::TASK_FAILED, "u1");
  m.report("a", a, f, "t2", v1::TASK_FAILED, "u2");
  m.hear(agent_at("a"), exited(f, a));
  const auto failure = m.one<scheduler::Event::Failure>(framework_at("f"));
  CHECK(failure.executor_id().value() == "e");
  CHECK(failure.status() == 256);
  CHECK(parsed(m.one<internal::ReleaseResources>(allocator()).resources()) ==
        text("cpus:0.1;mem:32").allocated_to("*"));
  m.hear(agent_at("a"), exited(f, a));
  CHECK(m.silent());
}

TEST_CASE("an executor whose exit crosses a launch is charged for the next of its id", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  launch_with_executor(m, f, a, "t1");
  m.report("a", a, f, "t1", v1::TASK_FINISHED, "u1");
  launch_with_executor(m, f, a, "t2");
  m.hear(agent_at("a"), exited(f, a));
  CHECK(m.one<scheduler::Event::Failure>(framework_at("f")).executor_id().value() == "e");
  CHECK(parsed(m.view().agents(0).used()) == text("cpus:0.6;mem:96"));
  SECTION("it runs, and stays when its tasks have ended") {
    m.report("a", a, f, "t2", v1::TASK_RUNNING, "u2");
    m.acknowledge("f", a, "t2", "u2");
    m.report("a", a, f, "t2", v1::TASK_FINISHED, "u3");
    CHECK(parsed(m.view().agents(0).used()) == text("cpus:0.1;mem:32"));
  }
  SECTION("it never comes to be") {
    m.report("a", a, f, "t2", v1::TASK_DROPPED, "u2");
    CHECK(m.view().agents(0).used().empty());
  }
}

TEST_CASE("an idle executor stays charged after its last task", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  launch_with_executor(m, f, a, "t");
  m.report("a", a, f, "t", v1::TASK_FINISHED, "u");
  m.acknowledge("f", a, "t", "u");
  CHECK(parsed(m.view().agents(0).used()) == text("cpus:0.1;mem:32"));
}

TEST_CASE("an executor with the same id must be the same", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  launch_with_executor(m, f, a, "t1");
  const auto o = m.offer(f, a, "cpus:1;mem:256");
  m.hear(framework_at("f"), accepting({o}, {launching({executor_task("t2", a, "cpus:0.5", "e", "cpus:0.2")})}));
  CHECK_THAT(m.one<scheduler::Event::Update>(framework_at("f")).status().message(),
             Catch::Contains("another description"));
}

TEST_CASE("an executor that a returning agent does not name ends, at the latest with its last task", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  launch_with_executor(m, f, a, "t");
  m.lose_link(agent_at("a"));
  m.hear(agent_at("a"), reregistration(a, "a"));
  CHECK(m.count<internal::ReconcileTasks>() == 1);
  CHECK(m.view().frameworks(0).executors_size() == 1);
  m.report("a", a, f, "t", v1::TASK_DROPPED, "u");
  CHECK(m.view().frameworks(0).executors_size() == 0);
  CHECK(m.view().agents(0).used_size() == 0);
}

TEST_CASE("an executor that is not named ends with its last task, whose earlier update comes again", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  launch_with_executor(m, f, a, "t");
  m.lose_link(agent_at("a"));
  m.hear(agent_at("a"), reregistration(a, "a"));
  internal::StatusUpdated update;
  *update.mutable_agent_id() = a.proto();
  *update.mutable_framework_id() = f.proto();
  update.mutable_status()->mutable_task_id()->set_value("t");
  update.mutable_status()->set_state(v1::TASK_RUNNING);
  update.mutable_status()->set_uuid(uuid("u"));
  update.set_latest_state(v1::TASK_GONE);
  m.hear(agent_at("a"), update);
  CHECK(m.view().frameworks(0).executors_size() == 0);
  CHECK(m.view().agents(0).used_size() == 0);
}

TEST_CASE("an executor that the agent names stays, and one unknown is charged", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  auto call = reregistration(a, "a");
  *call.add_frameworks() = framework_info("f");
  *call.mutable_frameworks(0)->mutable_id() = f.proto();
  auto* executor = call.add_executors();
  *executor = executor_task("t", a, "cpus:1", "e", "cpus:0.5").executor();
  *executor->mutable_framework_id() = f.proto();
  m.lose_link(agent_at("a"));
  m.hear(agent_at("a"), call);
  CHECK(parsed(m.one<internal::ChargeResources>(allocator()).resources()) == text("cpus:0.5").allocated_to("*"));
  m.hear(agent_at("a"), call);
  CHECK(m.count<internal::ChargeResources>() == 0);
  CHECK(parsed(m.view().agents(0).used()) == text("cpus:0.5"));
}

TEST_CASE("messages and shutdowns find their way while both ends are connected", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  scheduler::Call::Message to_executor;
  *to_executor.mutable_agent_id() = a.proto();
  to_executor.mutable_executor_id()->set_value("e");
  to_executor.set_data("hi");
  m.hear(framework_at("f"), to_executor);
  CHECK(m.one<internal::SendToExecutor>(agent_at("a")).data() == "hi");

  internal::SendToFramework to_framework;
  *to_framework.mutable_agent_id() = a.proto();
  *to_framework.mutable_framework_id() = f.proto();
  to_framework.mutable_executor_id()->set_value("e");
  to_framework.set_data("ho");
  m.hear(agent_at("a"), to_framework);
  CHECK(m.one<scheduler::Event::Message>(framework_at("f")).data() == "ho");

  scheduler::Call::Shutdown shutdown;
  *shutdown.mutable_agent_id() = a.proto();
  shutdown.mutable_executor_id()->set_value("e");
  m.hear(framework_at("f"), shutdown);
  CHECK(m.one<internal::ShutdownExecutor>(agent_at("a")).framework_id().value() == f.value());

  m.lose_link(agent_at("a"));
  m.hear(framework_at("f"), to_executor);
  CHECK(m.silent());
  m.hear(framework_at("f"), shutdown);
  CHECK(m.silent());
  m.lose_link(framework_at("f"));
  m.hear(agent_at("a"), to_framework);
  CHECK(m.silent());
}
