#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

struct running_task : master_driver {
  agent_id a = register_agent("a");
  framework_id f = subscribe("f");
  running_task() { launch("f", f, a, "t"); }
};

}  // namespace

TEST_CASE("an update reaches the scheduler with its uuid and is remembered", "[master]") {
  running_task m;
  m.report("a", m.a, m.f, "t", v1::TASK_RUNNING, "u1");
  const auto status = m.one<scheduler::Event::Update>(framework_at("f")).status();
  CHECK(status.uuid() == uuid("u1"));
  CHECK(status.agent_id().value() == m.a.value());
  CHECK(status.has_timestamp());
  const auto task = m.view().frameworks(0).tasks(0);
  CHECK(task.state() == v1::TASK_RUNNING);
  CHECK(task.status_update_state() == v1::TASK_RUNNING);
  CHECK(task.statuses_size() == 1);
}

TEST_CASE("resources return when the latest state ends, the task when its last update is acknowledged", "[master]") {
  running_task m;
  internal::StatusUpdated update;
  *update.mutable_agent_id() = m.a.proto();
  *update.mutable_framework_id() = m.f.proto();
  update.mutable_status()->mutable_task_id()->set_value("t");
  update.mutable_status()->set_state(v1::TASK_RUNNING);
  update.mutable_status()->set_uuid(uuid("u1"));
  update.set_latest_state(v1::TASK_FINISHED);
  m.hear(agent_at("a"), update);
  CHECK(m.count<internal::ReleaseResources>() == 1);
  CHECK(m.view().frameworks(0).tasks(0).state() == v1::TASK_FINISHED);
  CHECK(m.view().frameworks(0).tasks(0).status_update_state() == v1::TASK_RUNNING);
  m.acknowledge("f", m.a, "t", "u1");
  CHECK(m.one<internal::AcknowledgeStatus>(agent_at("a")).uuid() == uuid("u1"));
  CHECK(m.view().frameworks(0).tasks_size() == 1);
  m.report("a", m.a, m.f, "t", v1::TASK_FINISHED, "u2");
  CHECK(m.count<internal::ReleaseResources>() == 0);
  m.acknowledge("f", m.a, "t", "u2");
  CHECK(m.view().frameworks(0).tasks_size() == 0);
  CHECK(m.view().frameworks(0).completed_tasks(0).state() == v1::TASK_FINISHED);
}

TEST_CASE("a repeated update is forwarded again and releases nothing twice", "[master]") {
  running_task m;
  m.report("a", m.a, m.f, "t", v1::TASK_FAILED, "u");
  CHECK(m.count<internal::ReleaseResources>() == 1);
  m.report("a", m.a, m.f, "t", v1::TASK_FAILED, "u");
  CHECK(m.count<scheduler::Event::Update>() == 1);
  CHECK(m.count<internal::ReleaseResources>() == 0);
  CHECK(m.view().frameworks(0).tasks(0).statuses_size() == 1);
}

TEST_CASE("after the end nothing changes a task any more", "[master]") {
  running_task m;
  m.report("a", m.a, m.f, "t", v1::TASK_FINISHED, "u1");
  m.report("a", m.a, m.f, "t", v1::TASK_RUNNING, "u2");
  CHECK(m.view().frameworks(0).tasks(0).state() == v1::TASK_FINISHED);
  CHECK(m.view().agents(0).used_size() == 0);
}

TEST_CASE("an update whose acknowledgement was lost is forwarded and acknowledged again", "[master]") {
  running_task m;
  m.report("a", m.a, m.f, "t", v1::TASK_FINISHED, "u");
  m.acknowledge("f", m.a, "t", "u");
  REQUIRE(m.view().frameworks(0).tasks_size() == 0);
  m.report("a", m.a, m.f, "t", v1::TASK_FINISHED, "u");
  CHECK(m.count<scheduler::Event::Update>() == 1);
  m.acknowledge("f", m.a, "t", "u");
  CHECK(m.count<internal::AcknowledgeStatus>() == 1);
}

TEST_CASE("acknowledgements that fit nothing are dropped", "[master]") {
  running_task m;
  const auto b = m.register_agent("b");
  m.report("a", m.a, m.f, "t", v1::TASK_RUNNING, "u");
  m.acknowledge("f", m.a, "t", "another");
  CHECK(m.silent());
  m.acknowledge("f", b, "t", "u");
  CHECK(m.silent());
  m.acknowledge("f", agent_id("nowhere"), "t", "u");
  CHECK(m.silent());
  m.acknowledge("stranger", m.a, "t", "u");
  CHECK(m.silent());
  scheduler::Call::Acknowledge short_one;
  *short_one.mutable_agent_id() = m.a.proto();
  short_one.mutable_task_id()->set_value("t");
  short_one.set_uuid("short");
  m.hear(framework_at("f"), short_one);
  CHECK(m.silent());
  m.lose_link(agent_at("a"));
  m.acknowledge("f", m.a, "t", "u");
  CHECK(m.silent());
}

TEST_CASE("an update for a framework that is away is remembered and not acknowledged", "[master]") {
  running_task m;
  m.lose_link(framework_at("f"));
  m.report("a", m.a, m.f, "t", v1::TASK_FINISHED, "u");
  CHECK(m.count<scheduler::Event::Update>() == 0);
  CHECK(m.count<internal::AcknowledgeStatus>() == 0);
  CHECK(m.count<internal::ReleaseResources>() == 1);
  CHECK(m.view().frameworks(0).tasks_size() == 1);
}

TEST_CASE("updates of a removed framework are acknowledged by the master, for nobody else will", "[master]") {
  running_task m;
  m.hear(framework_at("f"), internal::TeardownFramework());
  m.report("a", m.a, m.f, "t", v1::TASK_KILLED, "u");
  CHECK(m.one<internal::AcknowledgeStatus>(agent_at("a")).uuid() == uuid("u"));
}

TEST_CASE("updates from an agent that is not registered make it register again", "[master]") {
  running_task m;
  m.report("stranger", m.a, m.f, "t", v1::TASK_RUNNING, "u");
  CHECK_FALSE(m.one<internal::Ping>(agent_at("stranger")).connected());
  CHECK(m.count<scheduler::Event::Update>() == 0);
  CHECK(m.view().frameworks(0).tasks(0).state() == v1::TASK_STAGING);
}

TEST_CASE("updates of unknown frameworks and in the master's own words go no further", "[master]") {
  running_task m;
  m.report("a", m.a, framework_id("nobody"), "t", v1::TASK_RUNNING, "u");
  CHECK(m.silent());
  m.report("a", m.a, m.f, "t", v1::TASK_UNREACHABLE, "u");
  CHECK(m.count<scheduler::Event::Update>() == 0);
  CHECK(m.view().frameworks(0).tasks(0).state() == v1::TASK_STAGING);
}

TEST_CASE("frameworks that know nothing of partitions are told LOST for GONE and DROPPED", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f", 3600, false);
  m.launch("f", f, a, "t");
  m.report("a", a, f, "t", v1::TASK_GONE, "u");
  CHECK(m.one<scheduler::Event::Update>(framework_at("f")).status().state() == v1::TASK_LOST);
  CHECK(m.view().frameworks(0).tasks(0).state() == v1::TASK_GONE);
}

TEST_CASE("a terminal update without a uuid completes the task at once", "[master]") {
  running_task m;
  internal::StatusUpdated update;
  *update.mutable_agent_id() = m.a.proto();
  *update.mutable_framework_id() = m.f.proto();
  update.mutable_status()->mutable_task_id()->set_value("t");
  update.mutable_status()->set_state(v1::TASK_FAILED);
  m.hear(agent_at("a"), update);
  CHECK(m.view().frameworks(0).tasks_size() == 0);
  CHECK(m.view().frameworks(0).completed_tasks_size() == 1);
}

TEST_CASE("the last thousand completed tasks of a framework are kept", "[master]") {
  master_options options;
  options.completed_tasks_max = 2;
  master_driver m(options);
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  for (const auto* id : {"t1", "t2", "t3"}) {
    m.launch("f", f, a, id);
    m.report("a", a, f, id, v1::TASK_FINISHED, id);
    m.acknowledge("f", a, id, id);
  }
  REQUIRE(m.view().frameworks(0).completed_tasks_size() == 2);
  CHECK(m.view().frameworks(0).completed_tasks(0).task_id().value() == "t2");
  CHECK(master_options().completed_tasks_max == 1000);
}
