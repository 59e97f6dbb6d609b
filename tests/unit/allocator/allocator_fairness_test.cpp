#include "tests/unit/allocator/allocator_world.hpp"

#include <map>

namespace troupe {
namespace {

/// Frameworks that launch equal tasks from whatever they are offered, one task an offer, as long as their task fits.
struct task_shape {
  quantities each;
  int running = 0;
};
using shapes = std::map<std::string, task_shape>;

void run_until_full(allocator_world& world, std::vector<offered> offers, shapes& frameworks) {
  int offers_left = 10'000;
  while (!offers.empty()) {
    REQUIRE(--offers_left > 0);
    const offered next = offers.back();
    offers.pop_back();
    task_shape& shape = frameworks.at(next.framework);
    const bool fits = next.content.find_scalars(shape.each).has_value();
    shape.running += fits ? 1 : 0;
    for (offered& o : fits ? world.use(next, shape.each) : world.decline(next, 1e6)) offers.push_back(std::move(o));
  }
}

/// Adds the frameworks, each in a role of its own name, then the agent.
void fill(allocator_world& world, const std::string& total, shapes& frameworks) {
  for (const auto& [id, shape] : frameworks) world.add_framework(id, {id});
  run_until_full(world, world.add_agent("a1", total), frameworks);
}

}  // namespace

TEST_CASE("dominant resource fairness gives the textbook's answer: 3 and 2 tasks") {
  allocator_world world;
  shapes frameworks{{"A", {{{"cpus", 1000}, {"mem", 4000}}}}, {"B", {{{"cpus", 3000}, {"mem", 1000}}}}};
  fill(world, "cpus:9;mem:18", frameworks);
  CHECK(frameworks["A"].running == 3);
  CHECK(frameworks["B"].running == 2);
  const auto roles = world.look().roles();
  CHECK(roles[0].dominant_resource() == "mem");
  CHECK(roles[0].dominant_share_millionths() == 666666);
  CHECK(roles[1].dominant_resource() == "cpus");
  CHECK(roles[1].dominant_share_millionths() == 666666);
}

TEST_CASE("fairness holds between frameworks of one role as between roles") {
  allocator_world world;
  shapes frameworks{{"A", {{{"cpus", 1000}, {"mem", 4000}}}}, {"B", {{{"cpus", 3000}, {"mem", 1000}}}}};
  for (const auto& [id, shape] : frameworks) world.add_framework(id, {"eng"});
  run_until_full(world, world.add_agent("a1", "cpus:9;mem:18"), frameworks);
  CHECK(frameworks["A"].running == 3);
  CHECK(frameworks["B"].running == 2);
}

TEST_CASE("a role of weight 3 gets three times as much as one of weight 1") {
  allocator_world world;
  world.set_weight("A", 3);
  shapes frameworks{{"A", {{{"cpus", 1000}}}}, {"B", {{{"cpus", 1000}}}}};
  fill(world, "cpus:100", frameworks);
  CHECK(frameworks["A"].running == 75);
  CHECK(frameworks["B"].running == 25);
}

TEST_CASE("weights change while the cluster runs, and those that are no numbers are ignored") {
  allocator_world world;
  shapes frameworks{{"A", {{{"cpus", 1000}}}}, {"B", {{{"cpus", 1000}}}}};
  world.set_weight("B", 7);
  world.set_weight("B", 1.5);
  world.set_weight("B", -1);
  fill(world, "cpus:100", frameworks);
  CHECK(frameworks["A"].running == 40);
  CHECK(frameworks["B"].running == 60);
}

TEST_CASE("a role's share counts all its frameworks together") {
  allocator_world world;
  shapes frameworks{{"a1", {{{"cpus", 1000}}}}, {"a2", {{{"cpus", 1000}}}}, {"b1", {{{"cpus", 1000}}}}};
  world.add_framework("a1", {"A"});
  world.add_framework("a2", {"A"});
  world.add_framework("b1", {"B"});
  run_until_full(world, world.add_agent("x", "cpus:40"), frameworks);
  CHECK(frameworks["a1"].running == 10);
  CHECK(frameworks["a2"].running == 10);
  CHECK(frameworks["b1"].running == 20);
}

TEST_CASE("with equal shares, who was served less often is next, then the first by name") {
  allocator_world world;
  world.add_framework("b");
  world.add_framework("a");
  const auto first = world.add_agent("a1", "cpus:1;mem:32");
  CHECK(first[0].framework == "a");
  const auto second = world.give_back(first[0]);
  CHECK(second[0].framework == "b");
  const auto third = world.give_back(second[0]);
  CHECK(third[0].framework == "a");
}

TEST_CASE("a role that was weighted keeps its grants when its allocator is loaded") {
  allocator_world world;  // which saves and loads before each step
  world.set_weight("eng", 2);
  world.add_framework("f", {"eng"});
  const auto offers = world.add_agent("a1", "cpus:1;mem:32");
  world.decline(offers[0], 1000);
  world.remove_framework("f");
  world.add_framework("g", {"eng"});
  CHECK(world.look().roles(0).weight_millionths() == 2'000'000);
}

TEST_CASE("within one run each agent goes to whoever has least by then") {
  allocator_world world;
  world.add_framework("f", {"eng", "ops"}, {}, {"eng", "ops"});
  for (const char* id : {"a1", "a2", "a3", "a4"}) world.add_agent(id, "cpus:1;mem:32");
  std::map<std::string, int> got;
  for (const offered& o : world.revive("f")) ++got[o.role];
  CHECK(got == std::map<std::string, int>{{"eng", 2}, {"ops", 2}});
}

TEST_CASE("one agent's resources go round: many equal frameworks end with equal shares") {
  allocator_world world;
  shapes frameworks;
  for (int i = 0; i < 10; ++i) frameworks["f" + std::to_string(i)] = {{{"cpus", 500}, {"mem", 10000}}};
  fill(world, "cpus:20;mem:1000", frameworks);
  for (const auto& [id, shape] : frameworks) CHECK(shape.running == 4);
}

}  // namespace troupe
