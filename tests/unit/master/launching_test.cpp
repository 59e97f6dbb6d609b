#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

/// The only status that the framework was told in the last step.
v1::TaskStatus told(const master_driver& m, const std::string& name = "f") {
  return m.one<scheduler::Event::Update>(framework_at(name)).status();
}

}  // namespace

TEST_CASE("an accepted offer launches its tasks and returns the rest with the filter", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  const auto o = m.offer(f, a, "cpus:3;mem:1024");
  auto call =
      accepting({o}, {launching({command_task("t1", a, "cpus:1;mem:100"), command_task("t2", a, "cpus:1;mem:100")})});
  call.mutable_filters()->set_refuse_seconds(60);
  m.hear(framework_at("f"), call);
  const auto runs = m.said<internal::RunTask>(agent_at("a"));
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].framework().id().value() == f.value());
  CHECK(runs[0].task().task_id().value() == "t1");
  CHECK(runs[0].task().resources(0).allocation_info().role() == "*");
  const auto settled = m.one<internal::SettleOffer>(allocator());
  CHECK(parsed(settled.used()) == text("cpus:2;mem:200").allocated_to("*"));
  CHECK(parsed(settled.unused()) == text("cpus:1;mem:824").allocated_to("*"));
  CHECK(settled.filters().refuse_seconds() == 60);
  CHECK(m.count<scheduler::Event::Update>() == 0);
  CHECK(m.view().frameworks(0).tasks(0).state() == v1::TASK_STAGING);
  CHECK(m.view().frameworks(0).tasks(0).user() == "nobody");
  CHECK(m.view().frameworks(0).offers_size() == 0);
}

TEST_CASE("offers of one agent and role are pooled and settled as one", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  const auto o1 = m.offer(f, a, "cpus:1");
  const auto o2 = m.offer(f, a, "cpus:1;mem:64");
  m.hear(framework_at("f"), accepting({o1, o2}, {launching({command_task("t", a, "cpus:2;mem:64")})}));
  CHECK(m.count<internal::RunTask>() == 1);
  CHECK(m.one<internal::SettleOffer>(allocator()).unused_size() == 0);
}

TEST_CASE("an acceptance that comes twice launches once", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  const auto call = accepting({m.offer(f, a)}, {launching({command_task("t", a, "cpus:1")})});
  m.hear(framework_at("f"), call);
  REQUIRE(m.count<internal::RunTask>() == 1);
  m.hear(framework_at("f"), call);
  CHECK(m.silent());  // nothing that is untrue of a task that lives
  CHECK(m.logged("accept.rejected"));
  CHECK(m.view().frameworks(0).tasks_size() == 1);
  m.pass(90s);
  REQUIRE(m.view().frameworks(0).unreachable_tasks_size() == 1);
  m.hear(framework_at("f"), call);
  CHECK(m.count<scheduler::Event::Update>() == 0);
}

TEST_CASE("an acceptance of a used offer is answered for tasks that do not live", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  const auto open = m.offer(f, a);
  m.hear(framework_at("f"), accepting({open}, {launching({command_task("t", a, "cpus:1")})}));
  m.hear(framework_at("f"),
         accepting({open}, {launching({command_task("t", a, "cpus:1"), command_task("other", a, "cpus:1")})}));
  CHECK(told(m).task_id().value() == "other");
  CHECK(told(m).state() == v1::TASK_DROPPED);
  CHECK(told(m).reason() == v1::TaskStatus::REASON_INVALID_OFFERS);
}

TEST_CASE("an acceptance that comes again when its task has ended does not say that it never ran", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  const auto open = m.offer(f, a);
  const auto accept = accepting({open}, {launching({command_task("t", a, "cpus:1")})});
  m.hear(framework_at("f"), accept);
  m.report("a", a, f, "t", v1::TASK_FINISHED, "u");
  m.hear(framework_at("f"), accept);
  CHECK(m.count<scheduler::Event::Update>() == 0);
  m.acknowledge("f", a, "t", "u");
  m.hear(framework_at("f"), accept);
  CHECK(told(m).state() == v1::TASK_FINISHED);
  CHECK(told(m).reason() == v1::TaskStatus::REASON_RECONCILIATION);
}

TEST_CASE("an acceptance without tasks is a decline", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.hear(framework_at("f"), accepting({m.offer(f, a)}, {launching({})}));
  CHECK(m.one<internal::SettleOffer>(allocator()).used_size() == 0);
  CHECK(m.one<internal::SettleOffer>(allocator()).filters().refuse_seconds() == 5);
}

TEST_CASE("offers that do not belong together launch nothing, and those still valid return", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto b = m.register_agent("b");
  const auto f = m.subscribe("f");
  const auto g = m.subscribe("g");
  const auto tasks = launching({command_task("t", a, "cpus:1")});
  const auto rejected = [&](const std::vector<v1::Offer>& offers, const std::string& why, std::size_t returned) {
    m.hear(framework_at("f"), accepting(offers, {tasks}));
    CHECK(m.count<internal::RunTask>() == 0);
    CHECK(told(m).reason() == v1::TaskStatus::REASON_INVALID_OFFERS);
    CHECK_THAT(told(m).message(), Catch::Contains(why));
    CHECK(m.count<internal::SettleOffer>() == returned);
  };
  rejected({}, "at least one", 0);
  const auto o = m.offer(f, a, "cpus:1");
  rejected({o, o}, "more than once", 1);
  const auto of_a = m.offer(f, a, "cpus:1");
  const auto of_b = m.offer(f, b, "cpus:1");
  rejected({of_a, of_b}, "more than one agent", 2);
  rejected({m.offer(g, a, "cpus:1")}, "no longer valid", 0);
  CHECK(m.view().frameworks(1).offers_size() == 1);
}

TEST_CASE("frameworks that know nothing of partitions are told LOST instead of DROPPED", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  m.subscribe("f", 3600, false);
  v1::Offer never;
  never.mutable_id()->set_value("never");
  m.hear(framework_at("f"), accepting({never}, {launching({command_task("t", a, "cpus:1")})}));
  CHECK(told(m).state() == v1::TASK_LOST);
}

TEST_CASE("an offer accepted after its agent went away says so", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  const auto call = accepting({m.offer(f, a)}, {launching({command_task("t", a, "cpus:1")})});
  m.lose_link(agent_at("a"));
  m.hear(framework_at("f"), call);
  CHECK(told(m).state() == v1::TASK_DROPPED);
  CHECK(told(m).reason() == v1::TaskStatus::REASON_AGENT_DISCONNECTED);
  m.pass(10min);
  m.hear(framework_at("f"), call);
  CHECK(told(m).reason() == v1::TaskStatus::REASON_AGENT_REMOVED);
}

TEST_CASE("an invalid task fails alone, with the reason, and its resources return", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  const auto o = m.offer(f, a, "cpus:2;mem:1024");
  m.hear(framework_at("f"),
         accepting({o}, {launching({command_task("big", a, "cpus:9"), command_task("good", a, "cpus:1")})}));
  CHECK(told(m).state() == v1::TASK_ERROR);
  CHECK(told(m).reason() == v1::TaskStatus::REASON_TASK_INVALID);
  CHECK(told(m).source() == v1::TaskStatus::SOURCE_MASTER);
  CHECK_THAT(told(m).message(), Catch::Contains("cpus:9") && Catch::Contains("cpus:2"));
  CHECK(m.one<internal::RunTask>(agent_at("a")).task().task_id().value() == "good");
  CHECK(parsed(m.one<internal::SettleOffer>(allocator()).unused()) == text("cpus:1;mem:1024").allocated_to("*"));
}

TEST_CASE("operations apply in order on what the earlier ones left", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  const auto o = m.offer(f, a, "cpus:2");
  m.hear(framework_at("f"), accepting({o}, {launching({command_task("first", a, "cpus:1.5")}),
                                            launching({command_task("second", a, "cpus:1")})}));
  CHECK(m.one<internal::RunTask>(agent_at("a")).task().task_id().value() == "first");
  CHECK(told(m).task_id().value() == "second");
}

TEST_CASE("what is not supported is refused by name and changes nothing", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  v1::Offer::Operation group;
  group.set_type(v1::Offer::Operation::LAUNCH_GROUP);
  group.mutable_launch_group()->mutable_executor()->mutable_executor_id()->set_value("e");
  *group.mutable_launch_group()->mutable_task_group()->add_tasks() = command_task("t", a, "cpus:1");
  m.hear(framework_at("f"), accepting({m.offer(f, a)}, {group}));
  CHECK(told(m).reason() == v1::TaskStatus::REASON_TASK_GROUP_INVALID);
  CHECK(told(m).message() == "task groups are not supported");

  v1::Offer::Operation reserve;
  reserve.set_type(v1::Offer::Operation::RESERVE);
  reserve.mutable_id()->set_value("op");
  m.hear(framework_at("f"), accepting({m.offer(f, a)}, {reserve}));
  const auto status = m.one<scheduler::Event::UpdateOperationStatus>(framework_at("f")).status();
  CHECK(status.state() == v1::OPERATION_ERROR);
  CHECK(status.operation_id().value() == "op");
  CHECK_THAT(status.message(), Catch::Contains("RESERVE"));
  CHECK_FALSE(status.has_uuid());
  CHECK(m.one<internal::SettleOffer>(allocator()).used_size() == 0);
  reserve.clear_id();
  m.hear(framework_at("f"), accepting({m.offer(f, a)}, {reserve}));
  CHECK(m.count<scheduler::Event::UpdateOperationStatus>() == 0);

  auto with_id = launching({command_task("t", a, "cpus:1")});
  with_id.mutable_id()->set_value("op");
  m.hear(framework_at("f"), accepting({m.offer(f, a)}, {with_id}));
  CHECK(told(m).state() == v1::TASK_ERROR);
  CHECK_THAT(told(m).message(), Catch::Contains("operations.id"));
}
