#include "storage/keys.hpp"
#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

internal::ReregisterAgent with_tasks(internal::ReregisterAgent call, const framework_id& of,
                                     const std::vector<v1::Task>& tasks) {
  *call.add_frameworks() = framework_info("f");
  *call.mutable_frameworks(0)->mutable_id() = of.proto();
  for (const auto& task : tasks) *call.add_tasks() = task;
  return call;
}

}  // namespace

TEST_CASE("a repeated registration of a connected agent is answered and changes nothing", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.offer(f, a, "cpus:1");
  m.hear(agent_at("a"), with_tasks(reregistration(a, "a"), f, {listed(f, "t", v1::TASK_RUNNING)}));
  CHECK(m.count<internal::AgentRegistered>() == 1);
  CHECK(m.count<scheduler::Event::Rescind>() == 0);
  CHECK(m.count<internal::ReconcileTasks>() == 0);
  CHECK(m.last().edits.empty());
}

TEST_CASE("tasks that a returning agent does not list are questioned, and ended ones are closed", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "lost");
  m.launch("f", f, a, "ended");
  m.report("a", a, f, "ended", v1::TASK_FINISHED, "u");
  m.lose_link(agent_at("a"));
  m.hear(agent_at("a"), reregistration(a, "a"));
  const auto questioned = m.one<internal::ReconcileTasks>(agent_at("a"));
  REQUIRE(questioned.tasks_size() == 1);
  CHECK(questioned.tasks(0).task_id().value() == "lost");
  CHECK(m.view().frameworks(0).tasks_size() == 1);
  CHECK(m.view().frameworks(0).completed_tasks(0).task_id().value() == "ended");
  CHECK(m.one<internal::SetAgentActive>(allocator()).active());
}

TEST_CASE("a changed agent is recorded, its offers are withdrawn and the allocator hears of it", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a", "cpus:4");
  const auto f = m.subscribe("f");
  m.offer(f, a, "cpus:1");
  m.hear(agent_at("a"), reregistration(a, "a", "cpus:8"));
  CHECK(m.count<scheduler::Event::Rescind>() == 1);
  CHECK(parsed(m.one<internal::AddAgent>(allocator()).total()) == text("cpus:8"));
  CHECK(parsed(m.stored<internal::AgentRecord>(keys::master_agent(a))->info().resources()) == text("cpus:8"));
  CHECK(m.said<internal::SetAgentActive>(allocator()).back().active());
}

TEST_CASE("an agent that comes back with more keeps its tasks, and all of it is offered and recorded", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a", "cpus:4;mem:4096");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.lose_link(agent_at("a"));
  auto more = with_tasks(reregistration(a, "a", "cpus:8;mem:4096;gpus:2"), f, {listed(f, "t", v1::TASK_RUNNING)});
  auto* zone = more.mutable_info()->add_attributes();
  zone->set_name("zone");
  zone->set_type(v1::Value::TEXT);
  zone->mutable_text()->set_value("east");
  m.hear(agent_at("a"), more);
  CHECK(m.one<internal::AgentRegistered>(agent_at("a")).agent_id().value() == a.value());
  const auto added = m.one<internal::AddAgent>(allocator());
  CHECK(parsed(added.total()) == text("cpus:8;mem:4096;gpus:2"));
  CHECK(added.info().attributes_size() == 1);
  REQUIRE(added.used_size() == 1);
  CHECK(parsed(added.used(0).resources()) == text("cpus:1;mem:512").allocated_to("*"));
  CHECK(m.count<scheduler::Event::Update>() == 0);
  const auto record = m.stored<internal::AgentRecord>(keys::master_agent(a));
  REQUIRE(record);
  CHECK(parsed(record->info().resources()) == text("cpus:8;mem:4096;gpus:2"));
  CHECK(record->info().attributes(0).text().value() == "east");

  // Said again it is no change, and after a failover neither.
  m.hear(agent_at("a"), more);
  CHECK(m.last().edits.empty());
  CHECK(m.count<internal::AddAgent>() == 0);
  m.restart();
  m.hear(agent_at("a"), more);
  CHECK(m.last().edits.empty());
  CHECK(parsed(m.one<internal::AddAgent>(allocator()).total()) == text("cpus:8;mem:4096;gpus:2"));
}

TEST_CASE("an unreachable or recovered agent that comes back with more is recorded so", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a", "cpus:4");
  SECTION("unreachable") {
    m.lose_link(agent_at("a"));
    m.pass(10min);
    REQUIRE(m.view().unreachable_agents_size() == 1);
  }
  SECTION("recovered") {
    m.restart();
  }
  m.hear(agent_at("a"), reregistration(a, "a", "cpus:8"));
  CHECK(parsed(m.one<internal::AddAgent>(allocator()).total()) == text("cpus:8"));
  const auto record = m.stored<internal::AgentRecord>(keys::master_agent(a));
  REQUIRE(record);
  CHECK(record->state() == internal::AgentRecord::ADMITTED);
  CHECK(parsed(record->info().resources()) == text("cpus:8"));
}

TEST_CASE("an agent that has begun afresh is another one, and what its former self ran is gone", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a", "cpus:4;mem:4096");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t", "cpus:3");
  m.lose_link(agent_at("a"));
  internal::RegisterAgent fresh;
  *fresh.mutable_info() = agent_info("a", "cpus:1;mem:4096");
  m.hear(agent_at("a"), fresh);
  const agent_id now = m.one<internal::AgentRegistered>(agent_at("a")).agent_id();
  CHECK(now != a);
  const auto update = m.one<scheduler::Event::Update>(framework_at("f")).status();
  CHECK(update.state() == v1::TASK_GONE);
  CHECK(update.reason() == v1::TaskStatus::REASON_AGENT_REMOVED);
  CHECK(m.one<scheduler::Event::Failure>(framework_at("f")).agent_id().value() == a.value());
  CHECK_FALSE(m.stored<internal::AgentRecord>(keys::master_agent(a)));
  CHECK(m.stored<internal::AgentRecord>(keys::master_agent(now)));
  CHECK(parsed(m.one<internal::AddAgent>(allocator()).total()) == text("cpus:1;mem:4096"));
  // Said again it is the same one.
  m.hear(agent_at("a"), fresh);
  CHECK(m.one<internal::AgentRegistered>(agent_at("a")).agent_id().value() == now.value());
  CHECK(m.last().edits.empty());
}

TEST_CASE("an agent that did not hear that it was admitted, and had nothing, is still the same one", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a", "cpus:4");
  m.lose_link(agent_at("a"));
  internal::RegisterAgent again;
  *again.mutable_info() = agent_info("a", "cpus:2");
  m.hear(agent_at("a"), again);
  CHECK(m.one<internal::AgentRegistered>(agent_at("a")).agent_id().value() == a.value());
}

TEST_CASE("an agent that has less than its tasks use is refused", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a", "cpus:4;mem:4096");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t", "cpus:2");
  m.lose_link(agent_at("a"));
  m.hear(agent_at("a"), reregistration(a, "a", "cpus:1;mem:4096"));
  CHECK_THAT(m.one<internal::AgentRefused>(agent_at("a")).reason(), Catch::Contains("use"));
  m.restart();
  m.hear(agent_at("a"),
         with_tasks(reregistration(a, "a", "cpus:1;mem:4096"), f, {listed(f, "t", v1::TASK_RUNNING, "cpus:2")}));
  CHECK(m.count<internal::AgentRefused>() == 1);
}

TEST_CASE("an unreachable agent comes back with its tasks and their frameworks are told", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "back");
  m.launch("f", f, a, "missing");
  m.lose_link(agent_at("a"));
  m.pass(10min);
  REQUIRE(m.view().frameworks(0).unreachable_tasks_size() == 2);

  m.hear(agent_at("a"), with_tasks(reregistration(a, "a"), f, {listed(f, "back", v1::TASK_RUNNING)}));
  CHECK(m.stored<internal::AgentRecord>(keys::master_agent(a))->state() == internal::AgentRecord::ADMITTED);
  const auto updates = m.said<scheduler::Event::Update>(framework_at("f"));
  REQUIRE(updates.size() == 2);
  CHECK(updates[0].status().task_id().value() == "back");
  CHECK(updates[0].status().state() == v1::TASK_RUNNING);
  CHECK(updates[0].status().reason() == v1::TaskStatus::REASON_AGENT_REREGISTERED);
  CHECK_FALSE(updates[0].status().has_uuid());
  CHECK(updates[1].status().task_id().value() == "missing");
  CHECK(updates[1].status().state() == v1::TASK_GONE);
  const auto added = m.one<internal::AddAgent>(allocator());
  REQUIRE(added.used_size() == 1);
  CHECK(parsed(added.used(0).resources()) == text("cpus:1;mem:512").allocated_to("*"));
  CHECK(m.count<internal::ChargeResources>() == 0);
}

TEST_CASE("an agent that nobody remembers any more is taken back with its tasks", "[master]") {
  master_driver m;
  const auto f = m.subscribe("f");
  m.hear(agent_at("a"), with_tasks(reregistration(agent_id("c-0-S9"), "a"), f, {listed(f, "t", v1::TASK_RUNNING)}));
  CHECK(m.count<internal::AgentRegistered>() == 1);
  CHECK(m.one<scheduler::Event::Update>(framework_at("f")).status().reason() ==
        v1::TaskStatus::REASON_AGENT_REREGISTERED);
  CHECK(m.view().frameworks(0).tasks_size() == 1);
}

TEST_CASE("a framework that only agents know is kept for a while, inactive", "[master]") {
  master_driver m;
  m.hear(agent_at("a"), with_tasks(reregistration(agent_id("c-0-S9"), "a"), framework_id("c-0-0003"),
                                   {listed(framework_id("c-0-0003"), "t", v1::TASK_RUNNING)}));
  REQUIRE(m.view().frameworks_size() == 1);
  CHECK(m.view().frameworks(0).recovered());
  CHECK_FALSE(m.one<internal::AddFramework>(allocator()).active());
  CHECK(m.stored<internal::FrameworkRecord>(keys::master_framework(framework_id("c-0-0003")))->has_failover_deadline());
}

TEST_CASE("an agent that runs tasks of a removed framework is told to shut it down", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.lose_link(agent_at("a"));
  m.hear(framework_at("f"), internal::TeardownFramework());
  m.hear(agent_at("a"), with_tasks(reregistration(a, "a"), f, {listed(f, "t", v1::TASK_RUNNING)}));
  CHECK(m.one<internal::ShutdownFramework>(agent_at("a")).framework_id().value() == f.value());
  CHECK(m.view().frameworks_size() == 0);
  CHECK(m.view().agents(0).used_size() == 0);
}

TEST_CASE("a terminal task whose acknowledgement was lost comes back without a word, and can be acknowledged again",
          "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.report("a", a, f, "t", v1::TASK_FINISHED, "u");
  m.acknowledge("f", a, "t", "u");
  REQUIRE(m.view().frameworks(0).completed_tasks_size() == 1);
  m.lose_link(agent_at("a"));
  m.hear(agent_at("a"), with_tasks(reregistration(a, "a"), f, {listed(f, "t", v1::TASK_FINISHED)}));
  CHECK(m.count<scheduler::Event::Update>() == 0);
  CHECK(m.view().frameworks(0).completed_tasks_size() == 0);
  m.report("a", a, f, "t", v1::TASK_FINISHED, "u");
  m.acknowledge("f", a, "t", "u");
  CHECK(m.count<internal::AcknowledgeStatus>() == 1);
  CHECK(m.view().frameworks(0).completed_tasks_size() == 1);
}

TEST_CASE("a task whose end is acknowledged while its agent's report is on its way does not come back", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.report("a", a, f, "t", v1::TASK_FINISHED, "u");
  auto ended = listed(f, "t", v1::TASK_FINISHED);
  ended.set_status_update_state(v1::TASK_FINISHED);
  ended.set_status_update_uuid(uuid("u"));
  m.acknowledge("f", a, "t", "u");
  m.hear(agent_at("a"), with_tasks(reregistration(a, "a"), f, {ended}));
  CHECK(m.view().frameworks(0).tasks_size() == 0);
  CHECK(m.view().frameworks(0).completed_tasks_size() == 1);
}

TEST_CASE("an end that nobody acknowledged before its agent became unreachable comes back with it", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.report("a", a, f, "t", v1::TASK_FINISHED, "u");
  m.pass(90s);
  auto ended = listed(f, "t", v1::TASK_FINISHED);
  ended.set_status_update_state(v1::TASK_FINISHED);
  ended.set_status_update_uuid(uuid("u"));
  m.hear(agent_at("a"), with_tasks(reregistration(a, "a"), f, {ended}));
  CHECK(m.view().frameworks(0).tasks_size() == 1);
}

TEST_CASE("a task whose id runs elsewhere by now is killed where it returns, and its updates go no further",
          "[master]") {
  master_options options;
  options.unreachable_tasks_max = 0;
  master_driver m(options);
  const auto a = m.register_agent("a");
  const auto b = m.register_agent("b");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.lose_link(agent_at("a"));
  for (int i = 0; i < 40; ++i) {
    m.pass(15s);
    internal::Pong pong;
    *pong.mutable_agent_id() = b.proto();
    m.hear(agent_at("b"), pong);
  }
  REQUIRE(m.view().unreachable_agents_size() == 1);
  m.launch("f", f, b, "t");
  m.hear(agent_at("a"), with_tasks(reregistration(a, "a"), f, {listed(f, "t", v1::TASK_RUNNING)}));
  CHECK(m.one<internal::KillTask>(agent_at("a")).task_id().value() == "t");
  m.report("a", a, f, "t", v1::TASK_KILLED, "u");
  CHECK(m.count<scheduler::Event::Update>() == 0);
  CHECK(m.count<internal::AcknowledgeStatus>() == 1);
  CHECK(m.view().frameworks(0).tasks(0).agent_id().value() == b.value());
}

TEST_CASE("tasks that an agent reports in nonsense are left out", "[master]") {
  master_driver m;
  const auto f = m.subscribe("f");
  auto unreachable = listed(f, "u", v1::TASK_UNREACHABLE);
  auto twice_the_port = listed(f, "p2", v1::TASK_RUNNING, "ports:[31000-31000]");
  auto negative = listed(f, "n", v1::TASK_RUNNING);
  negative.mutable_resources(0)->mutable_scalar()->set_value(-1);
  m.hear(agent_at("a"),
         with_tasks(reregistration(agent_id("c-0-S9"), "a"), f,
                    {unreachable, listed(f, "p1", v1::TASK_RUNNING, "ports:[31000-31000]"), twice_the_port, negative}));
  REQUIRE(m.view().frameworks(0).tasks_size() == 1);
  CHECK(m.view().frameworks(0).tasks(0).task_id().value() == "p1");
  CHECK(m.logged("task.ignored"));
}
