#include "actors/master/agent_table.hpp"
#include "actors/master/deadline_book.hpp"
#include "actors/master/decision.hpp"
#include "actors/master/task_ring.hpp"
#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

TEST_CASE("deadlines come in order of time, then of key, and one a key", "[master]") {
  deadline_book<monotonic_time> book;
  const monotonic_time t0(1h);
  CHECK_FALSE(book.earliest());
  book.set({due::offer, "b"}, t0 + 2s);
  book.set({due::offer, "a"}, t0 + 2s);
  book.set({due::ping, "z"}, t0 + 5s);
  book.set({due::ping, "z"}, t0 + 1s);
  CHECK(book.earliest() == t0 + 1s);
  CHECK_FALSE(book.take_due(t0));
  CHECK(book.take_due(t0 + 2s)->first == "z");
  CHECK(book.take_due(t0 + 2s)->first == "a");
  book.clear({due::offer, "b"});
  CHECK_FALSE(book.take_due(t0 + 1h));
}

TEST_CASE("a ring keeps the last tasks, one an id", "[master]") {
  task_ring ring(2);
  ring.push(listed(framework_id("f"), "a", v1::TASK_FAILED));
  ring.push(listed(framework_id("f"), "b", v1::TASK_FAILED));
  ring.push(listed(framework_id("f"), "a", v1::TASK_FINISHED));
  CHECK(ring.size() == 2);
  CHECK(ring.find(task_id("a"))->state() == v1::TASK_FINISHED);
  ring.push(listed(framework_id("f"), "c", v1::TASK_FAILED));
  CHECK_FALSE(ring.find(task_id("b")));
  CHECK(ring.take(task_id("a")));
  CHECK_FALSE(ring.take(task_id("a")));
  CHECK(ring.size() == 1);
}

TEST_CASE("the registry forgets the oldest of too many, and all that are too old", "[master]") {
  agent_table agents;
  const wall_time t0(24h);
  for (int i = 0; i < 5; ++i) {
    absent_agent agent;
    agent.info = agent_info("h", "cpus:1");
    agent.info.mutable_id()->set_value("a" + std::to_string(i));
    agent.since = t0 + i * 1min;
    agents.add_unreachable(agent);
  }
  CHECK(agents.prune(t0 + 1min, 3) == std::vector<agent_id>{agent_id("a0"), agent_id("a1")});
  CHECK(agents.prune(t0 + 4min, 3) == std::vector<agent_id>{agent_id("a2"), agent_id("a3")});
  CHECK(agents.unreachable().size() == 1);
}

TEST_CASE("a line of the log cannot be forged by a value", "[master]") {
  const std::string line = decision("task.refused").with("task", "t\ntask.ended x=1").with("n", std::uint64_t{7});
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.compare(0, 20, "task.refused task=\"t") == 0);
  CHECK(line.substr(line.size() - 4) == " n=7");
  const std::string cut = decision("x").with("v", std::string(100000, 'y'));
  CHECK(cut.size() < 400);
}
