#include "storage/keys.hpp"
#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <string>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

/// What the framework is told when it asks about one task; absent: nothing.
std::optional<v1::TaskStatus> ask(master_driver& m, const std::string& task, const agent_id& on = {}) {
  scheduler::Call::Reconcile call;
  auto* asked = call.add_tasks();
  asked->mutable_task_id()->set_value(task);
  if (!on.empty()) *asked->mutable_agent_id() = on.proto();
  m.hear(framework_at("f"), call);
  const auto updates = m.said<scheduler::Event::Update>(framework_at("f"));
  if (updates.empty()) return std::nullopt;
  REQUIRE(updates.size() == 1);
  CHECK(updates[0].status().reason() == v1::TaskStatus::REASON_RECONCILIATION);
  CHECK(updates[0].status().source() == v1::TaskStatus::SOURCE_MASTER);
  CHECK_FALSE(updates[0].status().has_uuid());
  CHECK_FALSE(updates[0].status().has_data());
  return updates[0].status();
}

scheduler::Call::Reconcile questions(int count) {
  scheduler::Call::Reconcile call;
  for (int i = 0; i < count; ++i) call.add_tasks()->mutable_task_id()->set_value("t" + std::to_string(i));
  return call;
}

}  // namespace

TEST_CASE("an empty question is answered with every known task, in the state that was last reported", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "staging");
  m.launch("f", f, a, "ended");
  m.report("a", a, f, "ended", v1::TASK_FINISHED, "u");
  m.hear(framework_at("f"), scheduler::Call::Reconcile());
  const auto updates = m.said<scheduler::Event::Update>(framework_at("f"));
  REQUIRE(updates.size() == 2);
  CHECK(updates[0].status().state() == v1::TASK_FINISHED);
  CHECK(updates[1].status().state() == v1::TASK_STAGING);
}

TEST_CASE("many questions are answered a few at a time, of each framework in turn", "[master]") {
  master_driver m;
  m.subscribe("f");
  m.subscribe("g");
  std::map<std::string, std::set<std::string>> answered;
  const auto count = [&] {
    std::size_t now = 0;
    for (const auto* name : {"f", "g"})
      for (const auto& update : m.said<scheduler::Event::Update>(framework_at(name))) {
        CHECK(answered[name].insert(update.status().task_id().value()).second);
        ++now;
      }
    return now;
  };
  for (const auto* name : {"f", "g"}) {
    m.hear(framework_at(name), questions(100));
    CHECK(count() == 32);
  }
  for (int turn = 0; turn < 5; ++turn) {
    REQUIRE(m.last().wake_at);
    m.hear(address(internal::RUNTIME, "local"), internal::TimerFired());
    CHECK(count() <= 32);
  }
  CHECK_FALSE(m.last().wake_at == m.now().now);
  CHECK(answered["f"].size() == 100);
  CHECK(answered["g"].size() == 100);
}

TEST_CASE("what is asked again before it is answered is answered once", "[master]") {
  master_driver m;
  m.subscribe("f");
  m.hear(framework_at("f"), questions(1000));
  m.hear(framework_at("f"), questions(1000));
  m.pass(0s);
  CHECK(m.said<scheduler::Event::Update>(framework_at("f")).size() <= 1000);
}

TEST_CASE("the questions of a framework that goes away are void", "[master]") {
  master_driver m;
  m.subscribe("f");
  m.hear(framework_at("f"), questions(100));
  m.lose_link(framework_at("f"));
  m.pass(0s);
  CHECK(m.count<scheduler::Event::Update>() == 0);
}

TEST_CASE("of a task that ends before its question is answered nothing is said after its end", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "z");
  auto call = questions(100);
  *call.add_tasks()->mutable_task_id() = task_id("z").proto();
  m.hear(framework_at("f"), call);
  m.report("a", a, f, "z", v1::TASK_FINISHED, "u");
  m.acknowledge("f", a, "z", "u");
  m.pass(0s);
  for (const auto& update : m.said<scheduler::Event::Update>(framework_at("f")))
    CHECK(update.status().task_id().value() != "z");
}

TEST_CASE("a known task is answered with its reported state, without data and message", "[master]") {
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
  update.mutable_status()->set_message("words");
  update.mutable_status()->set_data("bytes");
  update.mutable_status()->set_healthy(true);
  update.set_latest_state(v1::TASK_FINISHED);
  m.hear(agent_at("a"), update);
  const auto status = ask(m, "t");
  REQUIRE(status);
  CHECK(status->state() == v1::TASK_RUNNING);
  CHECK(status->healthy());
  CHECK_FALSE(status->has_message());
}

TEST_CASE("an unreachable task is known as such, with or without its agent's id", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.pass(90s);
  const auto without = ask(m, "t");
  REQUIRE(without);
  CHECK(without->state() == v1::TASK_UNREACHABLE);
  CHECK(without->has_unreachable_time());
  CHECK(ask(m, "t", a)->unreachable_time().nanoseconds() == without->unreachable_time().nanoseconds());
}

TEST_CASE("an unknown task is answered by what is known of its agent", "[master]") {
  master_driver m;
  internal::AgentRecord record;
  *record.mutable_info() = reregistration(agent_id("gone"), "x").info();
  record.set_state(internal::AgentRecord::GONE);
  m.store(keys::master_agent(agent_id("gone")), record);
  *record.mutable_info() = reregistration(agent_id("away"), "y").info();
  record.set_state(internal::AgentRecord::UNREACHABLE);
  record.mutable_since()->set_nanoseconds(77);
  m.store(keys::master_agent(agent_id("away")), record);
  m.restart();
  const auto a = m.register_agent("a");
  m.subscribe("f");
  CHECK(ask(m, "t", a)->state() == v1::TASK_GONE);
  CHECK(ask(m, "t", agent_id("away"))->state() == v1::TASK_UNREACHABLE);
  CHECK(ask(m, "t", agent_id("away"))->unreachable_time().nanoseconds() == 77);
  CHECK(ask(m, "t", agent_id("gone"))->state() == v1::TASK_GONE_BY_OPERATOR);
  CHECK(ask(m, "t", agent_id("never"))->state() == v1::TASK_UNKNOWN);
  CHECK(ask(m, "t")->state() == v1::TASK_UNKNOWN);
}

TEST_CASE("while an agent may still come back its tasks are met with silence", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto b = m.register_agent("b");
  m.restart();
  m.subscribe("f");
  CHECK_FALSE(ask(m, "t", a));
  CHECK_FALSE(ask(m, "t"));
  m.hear(agent_at("b"), reregistration(b, "b"));
  CHECK(ask(m, "t", b)->state() == v1::TASK_GONE);
  CHECK_FALSE(ask(m, "t"));
  m.hear(agent_at("a"), reregistration(a, "a"));
  CHECK(ask(m, "t")->state() == v1::TASK_UNKNOWN);
}

TEST_CASE("frameworks that know nothing of partitions are told LOST for all of these", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  m.subscribe("f", 3600, false);
  CHECK(ask(m, "t", a)->state() == v1::TASK_LOST);
  CHECK(ask(m, "t")->state() == v1::TASK_LOST);
}
