#include "storage/keys.hpp"
#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

TEST_CASE("ids never come twice, however often the master recovers", "[master]") {
  master_driver m;
  std::set<std::string> seen;
  for (int i = 0; i < 3; ++i) {
    const auto name = "x" + std::to_string(i);
    const auto a = m.register_agent(name);
    const auto f = m.subscribe(name);
    CHECK(seen.insert(a.value()).second);
    CHECK(seen.insert(f.value()).second);
    CHECK(seen.insert(m.offer(f, a).id().value()).second);
    m.restart();
  }
  CHECK(m.core().epoch() == 4);
}

TEST_CASE("a framework that was connected when the master ended has ten minutes at least to find the new one",
          "[master]") {
  master_driver m;
  const auto f = m.subscribe("f", 0);
  m.restart();
  CHECK(m.stored<internal::FrameworkRecord>(keys::master_framework(f))->has_failover_deadline());
  CHECK(m.view().frameworks(0).recovered());
  m.pass(9min);
  CHECK(m.view().frameworks_size() == 1);
  m.pass(1min);
  CHECK(m.view().frameworks_size() == 0);
}

TEST_CASE("a deadline to come back goes on while no master leads", "[master]") {
  master_driver m;
  const auto f = m.subscribe("f", 3600);
  m.lose_link(framework_at("f"));
  m.restart_after(30min);
  m.pass(29min);
  CHECK(m.view().frameworks_size() == 1);
  m.pass(1min);
  CHECK(m.view().frameworks_size() == 0);
  CHECK(m.stored<internal::FrameworkRecord>(keys::master_framework(f))->removed());
}

TEST_CASE("tasks are learnt anew from their agents after the master ended", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.restart();
  CHECK(m.view().frameworks(0).tasks_size() == 0);
  auto call = reregistration(a, "a");
  *call.add_frameworks() = framework_info("f");
  *call.mutable_frameworks(0)->mutable_id() = f.proto();
  *call.add_tasks() = listed(f, "t", v1::TASK_RUNNING);
  m.hear(agent_at("a"), call);
  CHECK(m.last().edits.empty());
  CHECK(m.view().frameworks(0).tasks(0).state() == v1::TASK_RUNNING);
  CHECK(m.one<internal::AddAgent>(allocator()).used_size() == 1);
  scheduler::Call::Subscribe again;
  *again.mutable_framework_info() = framework_info("f");
  *again.mutable_framework_info()->mutable_id() = f.proto();
  m.hear(framework_at("f2"), again);
  CHECK(m.view().frameworks(0).tasks_size() == 1);
  CHECK_FALSE(m.view().frameworks(0).recovered());
}

TEST_CASE("an allocator that outlived the master forgets what it held for it", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.restart();
  CHECK(m.one<internal::RemoveAgent>(allocator()).agent_id().value() == a.value());
  CHECK(m.one<internal::RemoveFramework>(allocator()).framework_id().value() == f.value());
  CHECK_FALSE(m.one<internal::AddFramework>(allocator()).active());
}

TEST_CASE("a record that cannot be read is named and costs nothing else", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  m.store_bytes(keys::master_framework(framework_id("broken")), "nonsense");
  m.store_bytes("master/what/is-this", "nonsense");
  m.restart();
  CHECK(m.logged("registry.damaged key=master/framework/broken"));
  CHECK(m.logged("registry.damaged key=master/what/is-this"));
  CHECK(m.view().recovered_agents(0).id().value() == a.value());
}

TEST_CASE("before it has recovered a master answers nobody", "[master]") {
  master core;
  Envelope head;
  *head.mutable_from() = agent_at("a");
  internal::RegisterAgent call;
  *call.mutable_info() = agent_info("a", "cpus:1");
  const auto out = core.on(head, call, context());
  CHECK(out.letters.empty());
  CHECK(out.edits.empty());
}
