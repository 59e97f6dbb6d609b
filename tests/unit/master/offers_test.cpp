#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

TEST_CASE("an offer says what it is and where", "[master]") {
  master_driver m;
  const auto a = m.register_agent("host");
  const auto f = m.subscribe("f");
  const auto o = m.offer(f, a, "cpus:2;mem:1024");
  CHECK(o.id().value() == "c-1-O0");
  CHECK(o.framework_id().value() == f.value());
  CHECK(o.agent_id().value() == a.value());
  CHECK(o.hostname() == "host");
  CHECK(o.url().address().port() == 5051);
  CHECK(parsed(o.resources()) == text("cpus:2;mem:1024"));
  CHECK_FALSE(o.has_allocation_info());
  CHECK(m.offer(f, a, "cpus:1").id().value() == "c-1-O1");
}

TEST_CASE("what cannot be offered goes straight back, without a filter", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.hear(allocator(), offered(framework_id("nobody"), a, "cpus:1"));
  CHECK(parsed(m.one<internal::SettleOffer>(allocator()).unused()) == text("cpus:1").allocated_to("*"));
  CHECK_FALSE(m.one<internal::SettleOffer>(allocator()).has_filters());
  m.hear(allocator(), offered(f, agent_id("nowhere"), "cpus:1"));
  CHECK(m.count<internal::SettleOffer>() == 1);
  m.lose_link(agent_at("a"));
  m.hear(allocator(), offered(f, a, "cpus:1"));
  CHECK(m.count<internal::SettleOffer>() == 1);
  CHECK(m.count<scheduler::Event::Offers>() == 0);
  m.lose_link(framework_at("f"));
  m.hear(allocator(), offered(f, a, "cpus:1"));
  CHECK(m.count<internal::SettleOffer>() == 1);
}

TEST_CASE("an agent is never offered beyond what it has", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a", "cpus:4;ports:[1-10]");
  const auto f = m.subscribe("f");
  m.offer(f, a, "cpus:3;ports:[1-5]");
  m.hear(allocator(), offered(f, a, "cpus:2"));
  CHECK(m.one<internal::SettleOffer>(allocator()).has_filters());
  m.hear(allocator(), offered(f, a, "ports:[5-6]"));
  CHECK(m.count<internal::SettleOffer>() == 1);
  m.offer(f, a, "cpus:1;ports:[6-10]");
}

TEST_CASE("a declined offer returns with the filter that was asked for, made sane", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  const auto decline = [&](std::optional<double> seconds) {
    scheduler::Call::Decline call;
    *call.add_offer_ids() = m.offer(f, a).id();
    if (seconds) call.mutable_filters()->set_refuse_seconds(*seconds);
    m.hear(framework_at("f"), call);
    const auto settled = m.one<internal::SettleOffer>(allocator());
    CHECK(settled.used_size() == 0);
    CHECK(parsed(settled.unused()) == text("cpus:2;mem:1024").allocated_to("*"));
    return settled.has_filters() ? settled.filters().refuse_seconds() : 0;
  };
  CHECK(decline(std::nullopt) == 5);
  CHECK(decline(120) == 120);
  CHECK(decline(-1) == 5);
  CHECK(decline(std::numeric_limits<double>::quiet_NaN()) == 5);
  CHECK(decline(1e12) == 31536000);
  CHECK(decline(0) == 0);
}

TEST_CASE("declining twice, or another's offer, does nothing", "[master]") {
  master_driver m;
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.subscribe("g");
  scheduler::Call::Decline call;
  *call.add_offer_ids() = m.offer(f, a).id();
  m.hear(framework_at("g"), call);
  CHECK(m.silent());
  m.hear(framework_at("f"), call);
  CHECK(m.count<internal::SettleOffer>() == 1);
  m.hear(framework_at("f"), call);
  CHECK(m.silent());
}

TEST_CASE("offers stay open for ever unless there is a timeout", "[master]") {
  master_options options;
  options.offer_timeout = 30s;
  master_driver m(options);
  const auto a = m.register_agent("a");
  const auto f = m.subscribe("f");
  m.offer(f, a, "cpus:1");
  m.pass(20s);
  m.offer(f, a, "cpus:1");
  m.pass(10s);
  CHECK(m.one<scheduler::Event::Rescind>(framework_at("f")).offer_id().value() == "c-1-O0");
  CHECK(m.one<internal::SettleOffer>(allocator()).has_filters() == false);
  CHECK(m.view().frameworks(0).offers_size() == 1);
  m.pass(20s);
  CHECK(m.view().frameworks(0).offers_size() == 0);

  master_driver patient;
  const auto b = patient.register_agent("a");
  const auto g = patient.subscribe("f");
  patient.offer(g, b, "cpus:1");
  for (int i = 0; i < 6; ++i) {
    patient.pass(14s);
    CHECK(patient.count<scheduler::Event::Rescind>() == 0);
  }
}

TEST_CASE("an allocator that starts again is fed completely and the open offers are void", "[master]") {
  master_driver m;
  internal::WeightRecord weight;
  weight.set_role("heavy");
  weight.set_weight(2.5);
  m.store("master/weight/heavy", weight);
  m.restart();
  const auto a = m.register_agent("a");
  const auto b = m.register_agent("b");
  const auto f = m.subscribe("f");
  m.subscribe("g");
  m.launch("f", f, a, "t", "cpus:1;mem:512");
  m.offer(f, b, "cpus:1");
  m.lose_link(framework_at("g"));
  m.lose_link(agent_at("b"));
  m.offer(f, a, "cpus:1");
  m.hear(framework_at("f"), scheduler::Call::Suppress());

  m.hear(allocator(), internal::AllocatorStarted());
  CHECK(m.count<scheduler::Event::Rescind>() == 1);
  CHECK(m.count<internal::SettleOffer>() == 0);
  CHECK(m.one<internal::SetWeights>(allocator()).weights(0).weight() == 2.5);
  const auto frameworks = m.said<internal::AddFramework>(allocator());
  REQUIRE(frameworks.size() == 2);
  CHECK(frameworks[0].active());
  CHECK(frameworks[0].suppressed_roles(0) == "*");
  CHECK_FALSE(frameworks[1].active());
  const auto agents = m.said<internal::AddAgent>(allocator());
  REQUIRE(agents.size() == 2);
  CHECK(parsed(agents[0].used(0).resources()) == text("cpus:1;mem:512").allocated_to("*"));
  CHECK(agents[1].used_size() == 0);
  CHECK(agent_id(m.one<internal::SetAgentActive>(allocator()).agent_id()) == b);
  m.hear(framework_at("f"), accepting({}, {}));
  CHECK(m.view().frameworks(0).offers_size() == 0);
}

TEST_CASE("frameworks read the form of resources that they understand", "[master]") {
  using capability = v1::FrameworkInfo::Capability;
  master_driver m;
  const auto a = m.register_agent("a", "cpus(r):4;mem:100;ephemeral_ports:[1-2]");
  scheduler::Call::Subscribe call;
  *call.mutable_framework_info() = framework_info("old");
  call.mutable_framework_info()->set_role("r");
  m.hear(framework_at("old"), call);
  const framework_id old_one = m.one<scheduler::Event::Subscribed>(framework_at("old")).framework_id();
  m.hear(allocator(), offered(old_one, a, "cpus(r):1;ephemeral_ports:[1-1]", "r"));
  const auto old_offer = m.one<scheduler::Event::Offers>(framework_at("old")).offers(0);
  REQUIRE(old_offer.resources_size() == 1);
  CHECK(old_offer.resources(0).role() == "r");
  CHECK(old_offer.resources(0).reservations_size() == 0);
  CHECK_FALSE(old_offer.resources(0).has_allocation_info());

  call.mutable_framework_info()->clear_role();
  call.mutable_framework_info()->add_roles("r");
  call.mutable_framework_info()->add_capabilities()->set_type(capability::MULTI_ROLE);
  call.mutable_framework_info()->add_capabilities()->set_type(capability::RESERVATION_REFINEMENT);
  m.hear(framework_at("new"), call);
  const framework_id new_one = m.one<scheduler::Event::Subscribed>(framework_at("new")).framework_id();
  m.hear(allocator(), offered(new_one, a, "cpus(r):1", "r"));
  const auto new_offer = m.one<scheduler::Event::Offers>(framework_at("new")).offers(0);
  CHECK(new_offer.resources(0).reservations(0).role() == "r");
  CHECK(new_offer.resources(0).allocation_info().role() == "r");
  CHECK(new_offer.allocation_info().role() == "r");

  // What is launched in the old form is counted as what it is.
  auto task = command_task("t", a, "mem:1");
  *task.mutable_resources() = old_offer.resources();
  m.hear(framework_at("old"), accepting({old_offer}, {launching({task})}));
  CHECK(m.count<internal::RunTask>() == 1);
}
