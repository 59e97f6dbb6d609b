#include "tests/unit/allocator/allocator_world.hpp"

namespace troupe {
namespace {

using capability = v1::FrameworkInfo::Capability;

internal::AddAgent agent_with(const resources& total) {
  internal::AddAgent m;
  m.mutable_info()->set_hostname("a1");
  m.mutable_info()->mutable_id()->set_value("a1");
  total.add_to(m.mutable_total());
  return m;
}

resources revocable(double cpus) {
  v1::Resource one;
  one.set_name("cpus");
  one.set_type(v1::Value::SCALAR);
  one.mutable_scalar()->set_value(cpus);
  one.mutable_revocable();
  return resources::from(one).value();
}

v1::Resource reserved(const std::string& role, const std::string& below = "") {
  v1::Resource one;
  one.set_name("cpus");
  one.set_type(v1::Value::SCALAR);
  one.mutable_scalar()->set_value(1);
  for (const std::string& r : {role, below}) {
    if (r.empty()) continue;
    one.add_reservations()->set_role(r);
    one.mutable_reservations(one.reservations_size() - 1)->set_type(v1::Resource::ReservationInfo::DYNAMIC);
  }
  return one;
}

resources shared_volume() {
  v1::Resource one = reserved("eng");
  one.set_name("disk");
  one.mutable_disk()->mutable_persistence()->set_id("v");
  one.mutable_disk()->mutable_volume()->set_container_path("data");
  one.mutable_disk()->mutable_volume()->set_mode(v1::Volume::RW);
  one.mutable_shared();
  return resources::from(one).value();
}

}  // namespace

TEST_CASE("reservations go to their role and the roles below it, the rest to whoever is next") {
  allocator_world world;
  world.add_framework("f", {"eng/web"});
  world.add_framework("g", {"ops"});
  const auto offers = world.add_agent("a1", "cpus:4;mem:100;cpus(eng):1;cpus(ops):2;cpus(hr):3");
  REQUIRE(offers.size() == 2);
  CHECK(offers[0].content == bare("cpus:4;mem:100;cpus(eng):1").allocated_to("eng/web"));
  CHECK(offers[1].content == bare("cpus(ops):2").allocated_to("ops"));
  CHECK(world.free_on("a1") == bare("cpus(hr):3"));
}

TEST_CASE("a role does not get what is reserved to a role below it") {
  allocator_world world;
  world.add_framework("f", {"eng"});
  CHECK(world.add_agent("a1", "cpus(eng/web):1").empty());
}

TEST_CASE("an agent with gpus is hidden from frameworks that cannot use them") {
  allocator_world world;
  world.add_framework("plain");
  CHECK(world.add_agent("a1", "cpus:4;mem:100;gpus:1").empty());
  const auto offers = world.add_framework("able", {"*"}, {capability::GPU_RESOURCES});
  REQUIRE(offers.size() == 1);
  CHECK(offers[0].content == tagged("cpus:4;mem:100;gpus:1"));
}

TEST_CASE("an agent with gpus is offered to all if the options say so") {
  allocator_options options;
  options.hide_gpu_agents = false;
  allocator_world world(options);
  world.add_framework("plain");
  CHECK(world.add_agent("a1", "cpus:4;mem:100;gpus:1").size() == 1);
}

TEST_CASE("revocable resources go only to frameworks that can lose them") {
  allocator_world world;
  world.add_framework("plain");
  const resources total = bare("cpus:1;mem:64") + revocable(2);
  const auto first = world.tell(agent_with(total));
  REQUIRE(first.size() == 1);
  CHECK(first[0].content == tagged("cpus:1;mem:64"));
  const auto second = world.add_framework("able", {"*"}, {capability::REVOCABLE_RESOURCES});
  REQUIRE(second.size() == 1);
  CHECK(second[0].content == revocable(2).allocated_to("*"));
}

TEST_CASE("shared volumes go only to frameworks that can share, one offer at a time") {
  allocator_world world;
  world.add_framework("plain", {"eng"});
  const auto first = world.tell(agent_with(bare("cpus:2;mem:64") + shared_volume()));
  REQUIRE(first.size() == 1);
  CHECK(first[0].content == tagged("cpus:2;mem:64", "eng"));
  world.use(first[0], {{"cpus", 1000}});
  world.remove_framework("plain");
  const auto second = world.add_framework("able", {"eng"}, {capability::SHARED_RESOURCES});
  REQUIRE(second.size() == 1);
  CHECK(second[0].content == (bare("cpus:2;mem:64") + shared_volume()).allocated_to("eng"));
  const resources task = second[0].content.find_scalars({{"cpus", 1000}}).value() + shared_volume().allocated_to("eng");
  const auto third = world.settle(second[0], task, second[0].content - task);
  REQUIRE(third.size() == 1);
  CHECK(third[0].content == (bare("cpus:1;mem:64") + shared_volume()).allocated_to("eng"));
}

TEST_CASE("refined reservations go only to frameworks that understand them") {
  allocator_world world;
  const resources refined = resources::from(reserved("eng", "eng/web")).value();
  world.add_framework("plain", {"eng/web"});
  const auto first = world.tell(agent_with(bare("cpus:1;mem:64;cpus(eng):2") + refined));
  REQUIRE(first.size() == 1);
  CHECK(first[0].content == bare("cpus:1;mem:64;cpus(eng):2").allocated_to("eng/web"));
  const auto second = world.add_framework("able", {"eng/web"}, {capability::RESERVATION_REFINEMENT});
  REQUIRE(second.size() == 1);
  CHECK(second[0].content == refined.allocated_to("eng/web"));
}

TEST_CASE("less than the minimum is not worth an offer") {
  allocator_world world;
  world.add_framework("f");
  CHECK(world.add_agent("a1", "cpus:0.009;mem:31;disk:1000").empty());
  CHECK(world.add_agent("a2", "cpus:0.01").size() == 1);
  CHECK(world.add_agent("a3", "mem:32").size() == 1);
}

TEST_CASE("a framework may set its own minimum for a role") {
  allocator_world world;
  internal::AddFramework m;
  m.mutable_info()->set_user("nobody");
  m.mutable_info()->set_name("f");
  m.mutable_info()->mutable_id()->set_value("f");
  auto& filters = (*m.mutable_info()->mutable_offer_filters())["*"];
  auto* least = filters.mutable_min_allocatable_resources()->add_quantities();
  (*least->mutable_quantities())["cpus"].set_value(2);
  world.tell(m);
  CHECK(world.add_agent("a1", "cpus:1.9;mem:1000").empty());
  CHECK(world.add_agent("a2", "cpus:2").size() == 1);
}

TEST_CASE("with an empty minimum anything is offered") {
  allocator_options options;
  options.minimum = min_allocatable();
  allocator_world world(options);
  world.add_framework("f");
  CHECK(world.add_agent("a1", "ports:[1-1]").size() == 1);
}

}  // namespace troupe
