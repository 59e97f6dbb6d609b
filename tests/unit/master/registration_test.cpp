#include "storage/keys.hpp"
#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

TEST_CASE("a fresh agent is recorded in the same step that answers it with its id", "[master]") {
  master_driver m;
  const auto id = m.register_agent("a");
  CHECK(id.value() == "c-1-S0");
  const auto answer = m.one<internal::AgentRegistered>(agent_at("a"));
  CHECK(answer.cluster_id() == "c");
  CHECK(answer.epoch() == 1);
  CHECK(answer.total_ping_timeout_ms() == 75000);
  const auto record = m.stored<internal::AgentRecord>(keys::master_agent(id));
  REQUIRE(record);
  CHECK(record->state() == internal::AgentRecord::ADMITTED);
  CHECK(same(record->address(), agent_at("a")));
  CHECK(parsed(m.one<internal::AddAgent>(allocator()).total()) == text("cpus:4;mem:4096;ports:[31000-32000]"));
  CHECK(m.register_agent("b").value() == "c-1-S1");
}

TEST_CASE("an agent that asks twice gets the same id and nothing is written again", "[master]") {
  master_driver m;
  const auto id = m.register_agent("a");
  CHECK(m.register_agent("a") == id);
  CHECK(m.last().edits.empty());
  CHECK(m.count<internal::AddAgent>() == 0);
  CHECK(m.view().agents_size() == 1);
}

TEST_CASE("a late repetition of the first registration does not harm what runs by then", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  CHECK(m.register_agent("a") == a);
  CHECK(m.view().frameworks(0).tasks_size() == 1);
  CHECK(m.count<internal::ReconcileTasks>() == 0);
}

TEST_CASE("an agent whose admission was recorded before the master ended gets that id when it asks again", "[master]") {
  master_driver m;
  const auto id = m.register_agent("a");
  m.restart();
  CHECK(m.register_agent("a") == id);
  CHECK(m.view().agents_size() == 1);
  CHECK(m.view().recovered_agents_size() == 0);
}

TEST_CASE("an agent of another cluster is refused with the remedy, by an empty master too", "[master]") {
  master_driver m;
  internal::RegisterAgent fresh;
  *fresh.mutable_info() = agent_info("a", "cpus:1");
  fresh.set_cluster_id("elsewhere");
  m.hear(agent_at("a"), fresh);
  const auto refused = m.one<internal::AgentRefused>(agent_at("a"));
  CHECK_THAT(refused.reason(), Catch::Contains("elsewhere") && Catch::Contains("cluster c"));
  CHECK_THAT(refused.remedy(), Catch::Contains("empty work folder"));
  CHECK_FALSE(refused.shutdown());
  CHECK(m.last().edits.empty());

  auto back = reregistration(agent_id("elsewhere-3-S0"), "a");
  back.set_cluster_id("elsewhere");
  m.hear(agent_at("a"), back);
  CHECK(m.count<internal::AgentRefused>() == 1);
  back.clear_cluster_id();
  m.hear(agent_at("a"), back);
  CHECK(m.count<internal::AgentRefused>() == 1);
  CHECK(m.view().agents_size() == 0);
}

TEST_CASE("an agent that is malformed is refused with the field's name", "[master]") {
  master_driver m;
  internal::RegisterAgent call;
  call.mutable_info()->set_hostname("");
  m.hear(agent_at("a"), call);
  CHECK_THAT(m.one<internal::AgentRefused>(agent_at("a")).reason(), Catch::Contains("info.hostname"));

  call.mutable_info()->set_hostname("a");
  auto* bad = call.mutable_info()->add_resources();
  bad->set_name("cpus");
  bad->set_type(v1::Value::SCALAR);
  bad->mutable_scalar()->set_value(-1);
  m.hear(agent_at("a"), call);
  CHECK_THAT(m.one<internal::AgentRefused>(agent_at("a")).reason(), Catch::Contains("info.resources"));

  m.hear(framework_at("a"), call);
  CHECK(m.count<internal::AgentRefused>() == 1);

  auto nameless = reregistration(agent_id("x"), "a");
  nameless.mutable_info()->clear_id();
  m.hear(agent_at("a"), nameless);
  CHECK_THAT(m.one<internal::AgentRefused>(agent_at("a")).reason(), Catch::Contains("info.id"));
}

TEST_CASE("an agent that was marked gone is refused and told to shut down", "[master]") {
  master_driver m;
  internal::AgentRecord gone;
  *gone.mutable_info() = reregistration(agent_id("old"), "a").info();
  gone.set_state(internal::AgentRecord::GONE);
  m.store(keys::master_agent(agent_id("old")), gone);
  m.restart();
  m.hear(agent_at("a"), reregistration(agent_id("old"), "a"));
  CHECK(m.one<internal::AgentRefused>(agent_at("a")).shutdown());
}

TEST_CASE("a second agent with the id of a living one is refused", "[master]") {
  master_driver m;
  const auto id = m.register_agent("a");
  m.hear(agent_at("copy"), reregistration(id, "other-host"));
  CHECK_THAT(m.one<internal::AgentRefused>(agent_at("copy")).remedy(), Catch::Contains("work folder"));
  CHECK(same(m.view().agents(0).address(), agent_at("a")));
}

TEST_CASE("an agent that comes back from another address is reached there", "[master]") {
  master_driver m;
  const auto id = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.offer(f, id);
  m.hear(agent_at("a2"), reregistration(id, "a"));
  CHECK(m.count<internal::AgentRegistered>() == 1);
  CHECK(m.count<scheduler::Event::Rescind>() == 1);
  CHECK(same(m.stored<internal::AgentRecord>(keys::master_agent(id))->address(), agent_at("a2")));
  m.lose_link(agent_at("a"));
  CHECK(m.silent());
  m.launch("f", f, id, "t");
  CHECK(m.said<internal::RunTask>(agent_at("a2")).size() == 1);
}

TEST_CASE("an agent that takes another's address leaves that one disconnected", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto b = m.register_agent("b");
  m.hear(agent_at("a"), reregistration(b, "b"));
  CHECK(agent_id(m.one<internal::AgentRegistered>(agent_at("a")).agent_id()) == b);
  const auto view = m.view();
  for (const auto& agent : view.agents()) CHECK(agent.active() == (agent_id(agent.info().id()) == b));
  m.pass(10min);
  REQUIRE(m.stored<internal::AgentRecord>(keys::master_agent(a)));
  CHECK(m.stored<internal::AgentRecord>(keys::master_agent(a))->state() == internal::AgentRecord::UNREACHABLE);
}

TEST_CASE("an end that an agent which leaves can no longer repeat is told by the master", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.report("a", a, f, "t", v1::TASK_FINISHED, "u");
  internal::UnregisterAgent leave;
  *leave.mutable_agent_id() = a.proto();
  m.hear(agent_at("a"), leave);
  const auto status = m.one<scheduler::Event::Update>(framework_at("f")).status();
  CHECK(status.state() == v1::TASK_FINISHED);
  CHECK_FALSE(status.has_uuid());
  CHECK(m.view().frameworks(0).completed_tasks(0).state() == v1::TASK_FINISHED);
}

TEST_CASE("an agent that leaves is erased and its tasks are gone", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.offer(f, a, "cpus:1");
  internal::UnregisterAgent leave;
  *leave.mutable_agent_id() = a.proto();
  m.hear(agent_at("a"), leave);
  const auto update = m.one<scheduler::Event::Update>(framework_at("f"));
  CHECK(update.status().state() == v1::TASK_GONE);
  CHECK(update.status().reason() == v1::TaskStatus::REASON_AGENT_REMOVED);
  CHECK(m.count<scheduler::Event::Rescind>() == 1);
  CHECK(m.one<scheduler::Event::Failure>(framework_at("f")).agent_id().value() == a.value());
  CHECK(m.count<internal::RemoveAgent>() == 1);
  CHECK_FALSE(m.stored<internal::AgentRecord>(keys::master_agent(a)));
  CHECK(m.view().frameworks(0).completed_tasks(0).state() == v1::TASK_GONE);
  m.hear(agent_at("a"), leave);
  CHECK(m.silent());
}
