#include "storage/keys.hpp"
#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

scheduler::Call::Subscribe subscription(const framework_id& id, v1::FrameworkInfo info = framework_info("f")) {
  scheduler::Call::Subscribe call;
  *call.mutable_framework_info() = std::move(info);
  if (!id.empty()) *call.mutable_framework_info()->mutable_id() = id.proto();
  return call;
}

std::string refusal(master_driver& m, const scheduler::Call::Subscribe& call) {
  m.hear(framework_at("refused"), call);
  CHECK(m.last().edits.empty());
  return m.one<scheduler::Event::Error>(framework_at("refused")).message();
}

}  // namespace

TEST_CASE("a new framework gets an id that is recorded in the same step", "[master]") {
  master_driver m;
  const auto f = m.subscribe("f");
  CHECK(f.value() == "c-1-0000");
  const auto answer = m.one<scheduler::Event::Subscribed>(framework_at("f"));
  CHECK(answer.heartbeat_interval_seconds() == 15);
  CHECK(answer.master_info().id() == "c-1");
  CHECK(m.stored<internal::FrameworkRecord>(keys::master_framework(f))->info().id().value() == f.value());
  CHECK(m.one<internal::AddFramework>(allocator()).active());
}

TEST_CASE("a framework that subscribes twice from one address is one framework", "[master]") {
  master_driver m;
  const auto f = m.subscribe("f");
  CHECK(m.subscribe("f") == f);
  CHECK(m.view().frameworks_size() == 1);
}

TEST_CASE("a framework that repeats its subscription is told which offers are void", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  const auto open = m.offer(f, a, "cpus:1");
  m.subscribe("f");
  REQUIRE(m.logged("offer.rescinded"));
  CHECK(m.one<scheduler::Event::Rescind>(framework_at("f")).offer_id().value() == open.id().value());
  CHECK(m.count<internal::SettleOffer>() == 1);
}

TEST_CASE("the ids of removed frameworks are forgotten when they are old, or too many", "[master]") {
  master_options options;
  options.registry_max_age = std::chrono::hours(1);
  options.registry_max_count = 2;
  master_driver m(options);
  std::vector<framework_id> ids;
  for (const char* name : {"f1", "f2", "f3"}) {
    ids.push_back(m.subscribe(name, 0));
    m.lose_link(framework_at(name));
    m.pass(1s);
  }
  const auto kept = [&] {
    std::size_t count = 0;
    for (const auto& id : ids) count += m.stored<internal::FrameworkRecord>(keys::master_framework(id)) ? 1 : 0;
    CHECK(m.core().save().removed_frameworks_size() == static_cast<int>(count));
    return count;
  };
  CHECK(kept() == 3);
  m.restart();  // their age is remembered
  m.pass(15min);
  CHECK(kept() == 2);
  CHECK_FALSE(m.stored<internal::FrameworkRecord>(keys::master_framework(ids[0])));
  CHECK(refusal(m, subscription(ids[1])) == "Framework has been removed");
  m.pass(60min);
  CHECK(kept() == 0);
}

TEST_CASE("a subscription from elsewhere replaces the old one, which is told so", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.launch("f", f, a, "t");
  m.offer(f, a, "cpus:1");
  auto info = framework_info("renamed");
  info.set_user("somebody else");
  m.hear(framework_at("f2"), subscription(f, info));
  CHECK(m.one<scheduler::Event::Error>(framework_at("f")).message() == "Framework failed over");
  CHECK(framework_id(m.one<scheduler::Event::Subscribed>(framework_at("f2")).framework_id()) == f);
  CHECK(m.count<scheduler::Event::Rescind>() == 0);
  CHECK(m.count<internal::SettleOffer>() == 1);
  CHECK(m.one<internal::FrameworkUpdated>(agent_at("a")).framework().name() == "renamed");
  CHECK(m.view().frameworks(0).info().user() == "nobody");
  CHECK(m.view().frameworks(0).tasks_size() == 1);
  m.lose_link(framework_at("f"));
  CHECK(m.view().frameworks(0).connected());
  m.hear(framework_at("f"), scheduler::Call::Revive());
  CHECK(m.silent());
}

TEST_CASE("a framework that goes away keeps its tasks and loses its offers until its deadline", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f", 60);
  m.launch("f", f, a, "t");
  m.offer(f, a, "cpus:1");
  m.lose_link(framework_at("f"));
  CHECK_FALSE(m.one<internal::SetFrameworkActive>(allocator()).active());
  CHECK(m.count<internal::SettleOffer>() == 1);
  CHECK(m.stored<internal::FrameworkRecord>(keys::master_framework(f))->has_failover_deadline());
  m.pass(59s);
  m.hear(framework_at("f"), subscription(f));
  CHECK_FALSE(m.stored<internal::FrameworkRecord>(keys::master_framework(f))->has_failover_deadline());
  CHECK(m.said<internal::SetFrameworkActive>(allocator()).back().active());
  m.pass(10s);
  CHECK(m.view().frameworks(0).tasks_size() == 1);
}

TEST_CASE("a framework that does not come back in time is removed with all its tasks, and its id refused", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f", 60);
  m.launch("f", f, a, "t");
  m.lose_link(framework_at("f"));
  m.pass(60s);
  CHECK(m.one<internal::ShutdownFramework>(agent_at("a")).framework_id().value() == f.value());
  CHECK(m.one<internal::RemoveFramework>(allocator()).framework_id().value() == f.value());
  CHECK(m.count<internal::ReleaseResources>() == 1);
  CHECK(m.view().frameworks_size() == 0);
  REQUIRE(m.view().completed_frameworks_size() == 1);
  CHECK(m.view().completed_frameworks(0).completed_tasks(0).state() == v1::TASK_KILLED);
  CHECK(m.stored<internal::FrameworkRecord>(keys::master_framework(f))->removed());
  CHECK(refusal(m, subscription(f)) == "Framework has been removed");
  m.restart();
  CHECK(refusal(m, subscription(f)) == "Framework has been removed");
}

TEST_CASE("without a failover timeout a framework ends with its connection", "[master]") {
  master_driver m;
  const auto f = m.subscribe("f", 0);
  m.lose_link(framework_at("f"));
  CHECK(m.view().frameworks_size() == 0);
  CHECK(m.stored<internal::FrameworkRecord>(keys::master_framework(f))->removed());
}

TEST_CASE("a teardown ends the framework at once, and only its own", "[master]") {
  master_driver m;
  const auto f = m.subscribe("f");
  const auto g = m.subscribe("g");
  internal::TeardownFramework teardown;
  *teardown.mutable_framework_id() = g.proto();
  m.hear(framework_at("f"), teardown);
  CHECK(m.silent());
  CHECK(m.view().frameworks_size() == 2);
  *teardown.mutable_framework_id() = f.proto();
  m.hear(framework_at("f"), teardown);
  CHECK(m.view().frameworks_size() == 1);
  m.hear(framework_at("f"), teardown);
  CHECK(m.silent());
  *teardown.mutable_framework_id() = g.proto();
  m.hear(address(internal::OPERATOR, "o"), teardown);
  CHECK(m.one<scheduler::Event::Error>(framework_at("g")).message() == "Framework has been removed");
  CHECK(m.view().frameworks_size() == 0);
}

TEST_CASE("subscriptions that cannot be right are refused with the field's name", "[master]") {
  using capability = v1::FrameworkInfo::Capability;
  master_driver m;
  auto info = framework_info("f");
  info.set_role("a//b");
  CHECK_THAT(refusal(m, subscription({}, info)), Catch::Contains("framework_info.role"));
  info = framework_info("f");
  info.add_roles("a");
  CHECK_THAT(refusal(m, subscription({}, info)), Catch::Contains("MULTI_ROLE"));
  info.add_capabilities()->set_type(capability::MULTI_ROLE);
  info.add_roles("a");
  CHECK_THAT(refusal(m, subscription({}, info)), Catch::Contains("more than once"));
  info = framework_info("f", -1);
  CHECK_THAT(refusal(m, subscription({}, info)), Catch::Contains("failover_timeout"));
  CHECK_THAT(refusal(m, subscription(framework_id("a/b"))), Catch::Contains("framework_info.id"));
  auto call = subscription({});
  call.add_suppressed_roles("elsewhere");
  CHECK_THAT(refusal(m, call), Catch::Contains("suppressed_roles"));
  call = subscription({});
  (*call.mutable_offer_constraints()->mutable_role_constraints())["*"].add_groups();
  CHECK_THAT(refusal(m, call), Catch::Contains("offer_constraints"));
  info = framework_info("f");
  (*(*info.mutable_offer_filters())["*"]
        .mutable_min_allocatable_resources()
        ->add_quantities()
        ->mutable_quantities())["cpus"]
      .set_value(-1);
  CHECK_THAT(refusal(m, subscription({}, info)), Catch::Contains("offer_filters"));
  info = framework_info("f");
  info.set_principal("p");
  m.hear(framework_at("f"), subscription({}, info));
  const framework_id f = m.one<scheduler::Event::Subscribed>(framework_at("f")).framework_id();
  CHECK_THAT(refusal(m, subscription(f)), Catch::Contains("principal"));
}

TEST_CASE("an id that no registry knows is taken over as it is", "[master]") {
  master_driver m;
  m.hear(framework_at("f"), subscription(framework_id("from-before")));
  CHECK(m.one<scheduler::Event::Subscribed>(framework_at("f")).framework_id().value() == "from-before");
}

TEST_CASE("an updated framework loses the offers of roles that it dropped", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  auto info = framework_info("f");
  info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
  info.add_roles("x");
  info.add_roles("y");
  m.hear(framework_at("f"), subscription({}, info));
  const framework_id f = m.one<scheduler::Event::Subscribed>(framework_at("f")).framework_id();
  m.hear(allocator(), offered(f, a, "cpus:1", "x"));
  const auto x = m.one<scheduler::Event::Offers>(framework_at("f")).offers(0);
  m.hear(allocator(), offered(f, a, "cpus:1", "y"));
  CHECK(x.allocation_info().role() == "x");

  scheduler::Call::UpdateFramework update;
  *update.mutable_framework_info() = info;
  *update.mutable_framework_info()->mutable_id() = f.proto();
  update.mutable_framework_info()->mutable_roles()->DeleteSubrange(0, 1);
  m.hear(framework_at("f"), update);
  CHECK(m.one<scheduler::Event::Rescind>(framework_at("f")).offer_id().value() == x.id().value());
  CHECK(m.one<internal::UpdateFramework>(allocator()).info().roles_size() == 1);
  CHECK(m.stored<internal::FrameworkRecord>(keys::master_framework(f))->info().roles_size() == 1);

  update.mutable_framework_info()->set_user("another");
  m.hear(framework_at("f"), update);
  CHECK_THAT(m.one<scheduler::Event::Error>(framework_at("f")).message(), Catch::Contains("user"));
  CHECK(m.view().frameworks(0).connected());
}

TEST_CASE("suppress and revive reach the allocator for the framework's own roles only", "[master]") {
  master_driver m;
  m.subscribe("f");
  m.hear(framework_at("f"), scheduler::Call::Suppress());
  CHECK(m.one<internal::SuppressRoles>(allocator()).roles(0) == "*");
  CHECK(m.view().frameworks(0).suppressed_roles_size() == 1);
  scheduler::Call::Revive revive;
  revive.add_roles("elsewhere");
  m.hear(framework_at("f"), revive);
  CHECK(m.silent());
  CHECK(m.view().frameworks(0).suppressed_roles_size() == 1);
  revive.set_roles(0, "*");
  m.hear(framework_at("f"), revive);
  CHECK(m.one<internal::ReviveRoles>(allocator()).roles(0) == "*");
  CHECK(m.view().frameworks(0).suppressed_roles_size() == 0);
  m.hear(framework_at("stranger"), revive);
  CHECK(m.silent());
}

TEST_CASE("fifty completed frameworks are kept", "[master]") {
  master_options options;
  options.completed_frameworks_max = 2;
  master_driver m(options);
  for (const auto* name : {"a", "b", "c"}) {
    m.subscribe(name);
    m.hear(framework_at(name), internal::TeardownFramework());
  }
  REQUIRE(m.view().completed_frameworks_size() == 2);
  CHECK(m.view().completed_frameworks(0).info().name() == "b");
  CHECK(master_options().completed_frameworks_max == 50);
}
