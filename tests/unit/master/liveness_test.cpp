#include "storage/keys.hpp"
#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

void pong(master_driver& m, const std::string& name, const agent_id& id, std::uint64_t number) {
  internal::Pong answer;
  *answer.mutable_agent_id() = id.proto();
  answer.set_number(number);
  m.hear(agent_at(name), answer);
}

}  // namespace

TEST_CASE("an agent is pinged every 15 s and lives as long as it answers", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  for (std::uint64_t i = 1; i <= 20; ++i) {
    m.pass(15s);
    const auto ping = m.one<internal::Ping>(agent_at("a"));
    CHECK(ping.number() == i);
    CHECK(ping.connected());
    pong(m, "a", a, i);
  }
  CHECK(m.view().agents(0).pings_missed() == 0);
}

TEST_CASE("five pings without an answer make an agent unreachable, and one late answer saves it", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  m.pass(89s);
  CHECK(m.view().agents(0).pings_missed() == 4);
  pong(m, "a", a, 2);
  CHECK(m.view().agents(0).pings_missed() == 0);
  m.pass(60s);
  CHECK(m.view().agents_size() == 1);
  m.pass(30s);
  CHECK(m.view().agents_size() == 0);
  CHECK(m.view().unreachable_agents_size() == 1);
}

TEST_CASE("an answer to a ping that was never sent counts for nothing", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  m.pass(30s);
  REQUIRE(m.view().agents(0).pings_missed() == 1);
  pong(m, "a", a, 99);
  CHECK(m.view().agents(0).pings_missed() == 1);
  pong(m, "b", a, 1);
  CHECK(m.view().agents(0).pings_missed() == 1);
}

TEST_CASE("an unreachable agent is recorded in the step that tells of it, and all it held is let go", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto aware = m.subscribe("aware");
  const auto unaware = m.subscribe("unaware", 3600, false);
  m.launch("aware", aware, a, "t");
  m.launch("unaware", unaware, a, "t");
  m.launch("aware", aware, a, "ended");
  m.report("a", a, aware, "ended", v1::TASK_FINISHED, "u");
  m.offer(aware, a, "cpus:1");
  m.pass(89s);
  m.pass(1s);
  CHECK(m.stored<internal::AgentRecord>(keys::master_agent(a))->state() == internal::AgentRecord::UNREACHABLE);
  CHECK_FALSE(m.last().edits.empty());
  const auto told = m.one<scheduler::Event::Update>(framework_at("aware")).status();
  CHECK(told.state() == v1::TASK_UNREACHABLE);
  CHECK(told.reason() == v1::TaskStatus::REASON_AGENT_REMOVED);
  CHECK(told.unreachable_time().nanoseconds() == m.now().wall_now.time_since_epoch().count());
  CHECK_FALSE(told.has_uuid());
  CHECK(m.one<scheduler::Event::Update>(framework_at("unaware")).status().state() == v1::TASK_LOST);
  CHECK(m.said<scheduler::Event::Rescind>(framework_at("aware")).size() == 1);
  CHECK(m.said<scheduler::Event::Failure>(framework_at("aware")).size() == 1);
  CHECK(m.said<scheduler::Event::Failure>(framework_at("unaware")).size() == 1);
  CHECK(m.count<internal::ReleaseResources>() == 2);
  CHECK(m.said<internal::RemoveAgent>(allocator()).size() == 1);
  CHECK(m.view().frameworks(0).tasks_size() == 0);
  CHECK(m.view().frameworks(0).unreachable_tasks_size() == 1);
  CHECK(m.view().frameworks(0).completed_tasks(0).task_id().value() == "ended");
}

TEST_CASE("a task that ended, and whose framework has not been told so, is away with its agent", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  internal::StatusUpdated update;
  *update.mutable_agent_id() = a.proto();
  *update.mutable_framework_id() = f.proto();
  update.mutable_status()->mutable_task_id()->set_value("t");
  update.mutable_status()->set_state(v1::TASK_RUNNING);
  update.mutable_status()->set_uuid(uuid("u"));
  update.set_latest_state(v1::TASK_FINISHED);
  m.hear(agent_at("a"), update);
  m.lose_link(agent_at("a"));
  m.pass(10min);
  CHECK(m.one<scheduler::Event::Update>(framework_at("f")).status().state() == v1::TASK_UNREACHABLE);
}

TEST_CASE("an agent whose link broke is offered to nobody, keeps its tasks, and has ten minutes to register",
          "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.offer(f, a, "cpus:1");
  m.lose_link(agent_at("a"));
  CHECK_FALSE(m.said<internal::SetAgentActive>(allocator()).front().active());
  CHECK(m.count<scheduler::Event::Rescind>() == 1);
  CHECK(m.count<scheduler::Event::Update>() == 0);
  m.lose_link(agent_at("a"));
  CHECK(m.silent());
  // It answers pings, and hangs.
  for (std::uint64_t i = 1; i < 40; ++i) {
    m.pass(15s);
    CHECK_FALSE(m.one<internal::Ping>(agent_at("a")).connected());
    pong(m, "a", a, i);
  }
  CHECK(m.view().agents_size() == 1);
  m.pass(15s);
  CHECK(m.view().agents_size() == 0);
  CHECK(m.one<scheduler::Event::Update>(framework_at("f")).status().state() == v1::TASK_UNREACHABLE);
}

TEST_CASE("agents of the registry have ten minutes to come back after the master recovered", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto b = m.register_agent("b");
  m.restart();
  CHECK(m.view().recovered_agents_size() == 2);
  const auto f = m.subscribe("f");
  m.hear(agent_at("a"), reregistration(a, "a"));
  CHECK(m.count<scheduler::Event::Update>() == 0);
  m.pass(10min);
  CHECK(m.view().recovered_agents_size() == 0);
  CHECK(m.stored<internal::AgentRecord>(keys::master_agent(b))->state() == internal::AgentRecord::UNREACHABLE);
  bool told = false;
  for (const auto& failure : m.said<scheduler::Event::Failure>(framework_at("f")))
    told = told || agent_id(failure.agent_id()) == b;
  CHECK(told);
}

TEST_CASE("the registry forgets agents that were unreachable for two weeks", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  m.pass(90s);
  REQUIRE(m.view().unreachable_agents_size() == 1);
  m.pass(24h * 14);
  REQUIRE(m.stored<internal::AgentRecord>(keys::master_agent(a)));
  m.pass(1h);
  CHECK_FALSE(m.stored<internal::AgentRecord>(keys::master_agent(a)));
  CHECK(m.view().unreachable_agents_size() == 0);
}
