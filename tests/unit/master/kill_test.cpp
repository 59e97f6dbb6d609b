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

  void kill(const std::string& task, const std::optional<agent_id>& on = std::nullopt) {
    scheduler::Call::Kill call;
    call.mutable_task_id()->set_value(task);
    if (on) *call.mutable_agent_id() = on->proto();
    hear(framework_at("f"), call);
  }
  internal::KillTaskAnswered kill_as_operator(const std::string& task, const framework_id& of = {}) {
    internal::KillTaskByOperator call;
    call.mutable_task_id()->set_value(task);
    if (!of.empty()) *call.mutable_framework_id() = of.proto();
    hear(address(internal::OPERATOR, "o"), call);
    return one<internal::KillTaskAnswered>(address(internal::OPERATOR, "o"));
  }
  /// The agent's return with the task in this state.
  internal::ReregisterAgent back(v1::TaskState state) const {
    auto call = reregistration(a, "a");
    *call.add_tasks() = listed(f, "t", state);
    return call;
  }
  /// What the agent is told when it is back with its task running.
  internal::KillTask returns_running() {
    hear(agent_at("a"), back(v1::TASK_RUNNING));
    return one<internal::KillTask>(agent_at("a"));
  }
  /// Kills that the agent hears while time passes and it answers its pings.
  std::size_t kills_within(std::chrono::seconds time) {
    std::size_t kills = 0;
    for (std::chrono::seconds passed{0}; passed < time; passed += 1s) {
      pass(1s);
      kills += count<internal::KillTask>();
      internal::Pong pong;
      *pong.mutable_agent_id() = a.proto();
      hear(agent_at("a"), pong);
    }
    return kills;
  }
};

}  // namespace

TEST_CASE("a kill goes to the task's agent and is repeated until the task has ended", "[master]") {
  running_task m;
  scheduler::Call::Kill call;
  call.mutable_task_id()->set_value("t");
  call.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(7);
  m.hear(framework_at("f"), call);
  CHECK(m.one<internal::KillTask>(agent_at("a")).kill_policy().grace_period().nanoseconds() == 7);
  CHECK(m.kills_within(9s) == 0);
  CHECK(m.kills_within(1s) == 1);
  CHECK(m.kills_within(19s) == 0);
  CHECK(m.kills_within(1s) == 1);
  CHECK(m.kills_within(40s) == 1);
  CHECK(m.kills_within(60s) == 1);
  CHECK(m.kills_within(60s) == 1);
  m.report("a", m.a, m.f, "t", v1::TASK_KILLING, "u1");
  CHECK(m.kills_within(60s) == 1);
  m.report("a", m.a, m.f, "t", v1::TASK_KILLED, "u2");
  CHECK(m.kills_within(300s) == 0);
}

TEST_CASE("a kill of an unknown task is answered as a question about it", "[master]") {
  running_task m;
  m.kill("never");
  const auto status = m.one<scheduler::Event::Update>(framework_at("f")).status();
  CHECK(status.state() == v1::TASK_UNKNOWN);
  CHECK(status.reason() == v1::TaskStatus::REASON_RECONCILIATION);
  m.kill("never", m.a);
  CHECK(m.one<scheduler::Event::Update>(framework_at("f")).status().state() == v1::TASK_GONE);
}

TEST_CASE("a kill that names another agent, or a task that has ended, is ignored", "[master]") {
  running_task m;
  m.kill("t", agent_id("elsewhere"));
  CHECK(m.silent());
  m.report("a", m.a, m.f, "t", v1::TASK_FINISHED, "u");
  m.kill("t");
  CHECK(m.silent());
}

TEST_CASE("a kill is remembered while the agent is disconnected and sent when it is back", "[master]") {
  running_task m;
  m.lose_link(agent_at("a"));
  m.kill("t");
  CHECK(m.silent());
  CHECK(m.kills_within(60s) == 0);
  auto call = reregistration(m.a, "a");
  *call.add_tasks() = listed(m.f, "t", v1::TASK_RUNNING);
  m.hear(agent_at("a"), call);
  CHECK(m.one<internal::KillTask>(agent_at("a")).task_id().value() == "t");
  m.lose_link(agent_at("a"));
  CHECK(m.kills_within(30s) == 0);
  m.hear(agent_at("a"), call);
  CHECK(m.count<internal::KillTask>() == 1);
}

TEST_CASE("an operator kills any framework's task", "[master]") {
  running_task m;
  CHECK_FALSE(m.kill_as_operator("t").has_refusal());
  CHECK(m.count<internal::KillTask>() == 1);
  CHECK_FALSE(m.kill_as_operator("t", m.f).has_refusal());
  CHECK_THAT(m.kill_as_operator("never").refusal(), Catch::Contains("not known"));
  CHECK_THAT(m.kill_as_operator("t", framework_id("nobody")).refusal(), Catch::Contains("not known"));
  m.report("a", m.a, m.f, "t", v1::TASK_KILLED, "u");
  CHECK_THAT(m.kill_as_operator("t").refusal(), Catch::Contains("KILLED"));
}

TEST_CASE("an operator must say whose task when several frameworks have one of that name", "[master]") {
  running_task m;
  const auto g = m.subscribe("g");
  m.launch("g", g, m.a, "t");
  const auto refusal = m.kill_as_operator("t").refusal();
  CHECK_THAT(refusal, Catch::Contains(m.f.value()) && Catch::Contains(g.value()));
  CHECK(m.count<internal::KillTask>() == 0);
  CHECK_FALSE(m.kill_as_operator("t", g).has_refusal());
  CHECK(m.one<internal::KillTask>(agent_at("a")).framework_id().value() == g.value());
}

TEST_CASE("a task on an unreachable agent cannot be killed now, and the operator is told why", "[master]") {
  running_task m;
  m.pass(90s);
  CHECK_THAT(m.kill_as_operator("t").refusal(), Catch::Contains("unreachable"));
  CHECK(m.returns_running().task_id().value() == "t");
}

TEST_CASE("a kill outlives that its agent becomes unreachable, with its policy", "[master]") {
  running_task m;
  scheduler::Call::Kill call;
  call.mutable_task_id()->set_value("t");
  call.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(7);
  m.hear(framework_at("f"), call);
  m.pass(90s);
  REQUIRE(m.view().frameworks(0).unreachable_tasks_size() == 1);
  CHECK(m.returns_running().kill_policy().grace_period().nanoseconds() == 7);
  CHECK(m.kills_within(10s) == 1);  // and it is repeated as before
}

TEST_CASE("a kill of a task on an unreachable agent is answered so, and said when the agent is back", "[master]") {
  running_task m;
  m.pass(90s);
  m.kill("t", agent_id("elsewhere"));
  m.kill("t", m.a);
  const auto status = m.one<scheduler::Event::Update>(framework_at("f")).status();
  CHECK(status.state() == v1::TASK_UNREACHABLE);
  CHECK(status.reason() == v1::TaskStatus::REASON_RECONCILIATION);
  CHECK(m.returns_running().task_id().value() == "t");
}

TEST_CASE("a kill that names another agent than the unreachable one is not kept", "[master]") {
  running_task m;
  m.pass(90s);
  m.kill("t", agent_id("elsewhere"));
  m.hear(agent_at("a"), m.back(v1::TASK_RUNNING));
  CHECK(m.count<internal::KillTask>() == 0);
}

TEST_CASE("a kill that waited is forgotten when the task has ended or is gone", "[master]") {
  running_task m;
  m.launch("f", m.f, m.a, "lost");
  m.kill("t");
  m.kill("lost");
  m.pass(90s);
  m.hear(agent_at("a"), m.back(v1::TASK_FINISHED));
  CHECK(m.count<internal::KillTask>() == 0);
  CHECK(m.kills_within(60s) == 0);
}

TEST_CASE("kills that wait are no more than the tasks that do", "[master]") {
  master_options options;
  options.unreachable_tasks_max = 1;
  master_driver m(options);
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  for (const char* task : {"t1", "t2"}) {
    m.launch("f", f, a, task);
    scheduler::Call::Kill call;
    call.mutable_task_id()->set_value(task);
    m.hear(framework_at("f"), call);
  }
  m.pass(90s);
  CHECK(m.core().save().frameworks(0).away_kills_size() == 1);
}
