#include "tests/unit/allocator/allocator_world.hpp"

#include <functional>

// Old frameworks still write the deprecated `role`.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* small = "cpus:4;mem:1024";

bool logged(const allocator_world& world, const std::string& part) {
  for (const std::string& line : world.log) {
    if (line.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the allocator says that it has started, forgetting what was before") {
  allocator_core core;
  context now;
  internal::AddAgent agent;
  agent.mutable_info()->set_hostname("h");
  agent.mutable_info()->mutable_id()->set_value("a1");
  core.on(Envelope(), agent, now);
  const outbox out = core.on(Envelope(), internal::Recovered(), now);
  REQUIRE(out.letters.size() == 1);
  CHECK(same(out.letters[0].to, leader()));
  CHECK(out.letters[0].verb == verb_number<internal::AllocatorStarted>::value);
  CHECK(core.save().agents().empty());
  CHECK(out.wake_at == std::nullopt);
}

TEST_CASE("a framework is offered whole agents as soon as both are there, in either order") {
  allocator_world world;
  CHECK(world.add_agent("a1", small).empty());
  const auto first = world.add_framework("f");
  REQUIRE(first.size() == 1);
  CHECK(first[0].agent == "a1");
  CHECK(first[0].content == tagged(small));
  CHECK(logged(world, "allocation.run agents=1 offers=1"));
  const auto second = world.add_agent("a2", small);
  REQUIRE(second.size() == 1);
  CHECK(second[0].agent == "a2");
  CHECK(world.free_on("a1").empty());
}

TEST_CASE("offers of one step to one framework are one message, sorted by agent") {
  allocator_world world;
  for (const char* id : {"a3", "a1", "a2"}) world.add_agent(id, small);
  const auto offers = world.add_framework("f");
  REQUIRE(offers.size() == 3);  // allocator_world requires the rest of every message
  CHECK(offers[0].agent == "a1");
  CHECK(offers[2].agent == "a3");
}

TEST_CASE("a framework is served in all its roles, and each offer names one") {
  allocator_world world;
  world.add_framework("f", {"eng", "ops"});
  const auto one = world.add_agent("a1", small);
  const auto two = world.add_agent("a2", small);
  REQUIRE(one.size() == 1);
  REQUIRE(two.size() == 1);
  CHECK(one[0].role == "eng");
  CHECK(two[0].role == "ops");
}

TEST_CASE("a framework that cannot have several roles is served in its one role") {
  allocator_world world;
  internal::AddFramework m;
  m.mutable_info()->set_user("nobody");
  m.mutable_info()->set_name("old");
  m.mutable_info()->mutable_id()->set_value("old");
  m.mutable_info()->set_role("eng");
  m.mutable_info()->add_roles("ops");
  world.tell(m);
  const auto offers = world.add_agent("a1", small);
  REQUIRE(offers.size() == 1);
  CHECK(offers[0].role == "eng");
}

// --- what becomes of offers
// -------------------------------------------------------------------------------------------------------

TEST_CASE("resources that a task leaves come back to whoever is next, at once") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  CHECK(world.use_all(offers[0]).empty());
  CHECK(world.used_on("a1") == bare(small));
  const auto again = world.release("f", "a1", tagged("cpus:1;mem:64"));
  REQUIRE(again.size() == 1);
  CHECK(again[0].content == tagged("cpus:1;mem:64"));
}

TEST_CASE("the unused rest of an accepted offer is offered again at once") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  const auto rest = world.use(offers[0], {{"cpus", 1000}, {"mem", 24000}});
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].content == tagged("cpus:3;mem:1000"));
}

TEST_CASE("a declined offer goes to the next framework at once, and back when the refusal ends") {
  allocator_world world;
  world.add_framework("f");
  world.add_framework("g");
  const auto first = world.add_agent("a1", small);
  REQUIRE(first[0].framework == "f");
  const auto second = world.decline(first[0], 30);
  REQUIRE(second.size() == 1);
  CHECK(second[0].framework == "g");
  CHECK(world.decline(second[0], 60).empty());
  CHECK(world.pass(seconds(29)).empty());
  const auto third = world.pass(seconds(1));
  REQUIRE(third.size() == 1);
  CHECK(third[0].framework == "f");
}

TEST_CASE("a refusal covers what was refused: with more of anything the agent is offered again") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  const auto rest = world.use(offers[0], {{"cpus", 1000}, {"mem", 24000}});
  CHECK(world.decline(rest[0], 1000).empty());
  const auto again = world.release("f", "a1", tagged("cpus:1;mem:24"));
  REQUIRE(again.size() == 1);
  CHECK(again[0].content == tagged(small));
}

TEST_CASE("a refusal lasts at least an allocation interval") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  CHECK(world.decline(offers[0], 0.1).empty());
  CHECK(world.pass(milliseconds(999)).empty());
  CHECK(world.pass(milliseconds(1)).size() == 1);
}

TEST_CASE("a filter without seconds refuses for five") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  const v1::Filters filters;
  CHECK(world.settle(offers[0], {}, offers[0].content, &filters).empty());
  CHECK(world.pass(milliseconds(4999)).empty());
  CHECK(world.pass(milliseconds(1)).size() == 1);
}

TEST_CASE("zero seconds refuse nothing: the rest of an accepted offer comes back at once") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  v1::Filters none;
  none.set_refuse_seconds(0);
  const resources task = offers[0].content.find_scalars({{"cpus", 1000}}).value();
  CHECK(world.settle(offers[0], task, offers[0].content - task, &none).size() == 1);
}

TEST_CASE("who takes nothing and refuses nothing gets the same again after an interval, others at once") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  CHECK(world.decline(offers[0], 0).empty());
  CHECK(world.pass(milliseconds(999)).empty());
  const auto again = world.pass(milliseconds(1));
  REQUIRE(again.size() == 1);
  world.add_framework("g");
  const auto other = world.decline(again[0], 0);
  REQUIRE(other.size() == 1);
  CHECK(other[0].framework == "g");
}

TEST_CASE("a rescinded offer comes back without a filter") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  CHECK(world.give_back(offers[0]).size() == 1);
}

// --- who wants offers
// -----------------------------------------------------------------------------------------------------------------

TEST_CASE("a suppressed role gets nothing until it is revived") {
  allocator_world world;
  world.add_framework("f", {"eng", "ops"});
  world.suppress("f", {"eng"});
  const auto offers = world.add_agent("a1", small);
  REQUIRE(offers.size() == 1);
  CHECK(offers[0].role == "ops");
  world.suppress("f");
  CHECK(world.add_agent("a2", small).empty());
  CHECK(world.wake_at == std::nullopt);
  const auto revived = world.revive("f", {"eng"});
  REQUIRE(revived.size() == 1);
  CHECK(revived[0].role == "eng");
}

TEST_CASE("a framework may start suppressed") {
  allocator_world world;
  world.add_agent("a1", small);
  CHECK(world.add_framework("f", {"eng"}, {}, {"eng"}).empty());
  CHECK(world.revive("f").size() == 1);
}

TEST_CASE("reviving forgets the refusals of the role") {
  allocator_world world;
  world.add_framework("f", {"eng", "ops"});
  const auto eng = world.add_agent("a1", small);
  const auto ops = world.decline(eng[0], 1000);
  REQUIRE(ops[0].role == "ops");
  CHECK(world.decline(ops[0], 1000).empty());
  const auto again = world.revive("f", {"ops"});
  REQUIRE(again.size() == 1);
  CHECK(again[0].role == "ops");
  const auto both = world.look().roles();
  CHECK(both[0].frameworks(0).filters() == 1);
  CHECK(both[1].frameworks(0).filters() == 0);
}

TEST_CASE("a framework that is not active gets nothing, loses its filters, and keeps what it uses") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  world.use(offers[0], {{"cpus", 1000}});
  CHECK(world.set_framework_active("f", false).empty());
  CHECK(world.add_agent("a2", small).empty());
  CHECK(world.used_on("a1") == bare("cpus:1"));
  const auto back = world.set_framework_active("f", true);
  REQUIRE(back.size() == 1);
  CHECK(back[0].agent == "a2");
  CHECK(world.decline(back[0], 1000).empty());
  CHECK(world.set_framework_active("f", false).empty());
  CHECK(world.set_framework_active("f", true).size() == 1);
}

TEST_CASE("an offer declined after its framework went away leaves no filter") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  world.set_framework_active("f", false);
  world.decline(offers[0], 1000);
  CHECK(world.set_framework_active("f", true).size() == 1);
}

TEST_CASE("a framework that gives up a role loses its filters there, and keeps what it holds") {
  allocator_world world;
  world.add_framework("f", {"eng", "ops"});
  const auto offers = world.add_agent("a1", small);
  REQUIRE(offers[0].role == "eng");
  const auto rest = world.use(offers[0], {{"cpus", 1000}});
  REQUIRE(rest[0].role == "ops");
  const auto eng = world.decline(rest[0], 1000);
  REQUIRE(eng[0].role == "eng");
  world.decline(eng[0], 1000);
  internal::UpdateFramework m;
  m.mutable_info()->set_user("nobody");
  m.mutable_info()->set_name("f");
  m.mutable_info()->mutable_id()->set_value("f");
  m.mutable_info()->set_role("ops");
  CHECK(world.tell(m).empty());
  CHECK(world.used_on("a1") == bare("cpus:1"));
  const auto roles = world.look().roles();
  REQUIRE(roles.size() == 2);
  CHECK(roles[0].role() == "eng");
  CHECK(roles[0].frameworks(0).filters() == 0);
  CHECK(roles[1].frameworks(0).filters() == 1);
  world.release("f", "a1", tagged("cpus:1", "eng"));
  CHECK(world.look().roles_size() == 1);
}

// --- agents
// ---------------------------------------------------------------------------------------------------------------------------

TEST_CASE("an agent that is not active is offered to nobody until it is again") {
  allocator_world world;
  world.add_agent("a1", small);
  world.set_agent_active("a1", false);
  CHECK(world.add_framework("f").empty());
  CHECK(world.wake_at == std::nullopt);
  CHECK(world.set_agent_active("a1", true).size() == 1);
}

TEST_CASE("a returning agent's tasks are accounted before its rest is offered") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small, {used_by("f", tagged("cpus:1;mem:24"))});
  REQUIRE(offers.size() == 1);
  CHECK(offers[0].content == tagged("cpus:3;mem:1000"));
}

TEST_CASE("tasks of a framework that is not known yet are accounted") {
  allocator_world world;
  world.add_agent("a1", small, {used_by("f", tagged("cpus:1;mem:24", "eng"))});
  const auto offers = world.add_framework("f", {"eng"});
  REQUIRE(offers.size() == 1);
  CHECK(offers[0].content == tagged("cpus:3;mem:1000", "eng"));
  CHECK(world.release("f", "a1", tagged("cpus:1;mem:24", "eng")).size() == 1);
}

TEST_CASE("an agent added again has the new total, and keeps what is accounted") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  world.use(offers[0], {{"cpus", 1000}});
  const auto more = world.add_agent("a1", "cpus:8;mem:1024", {used_by("f", tagged("cpus:1"))});
  REQUIRE(more.size() == 1);
  CHECK(more[0].content == tagged("cpus:4"));
  CHECK(world.used_on("a1") == bare("cpus:1"));
}

TEST_CASE("an agent added again with other attributes has its filters forgotten") {
  allocator_world world;
  world.add_framework("f");
  internal::AddAgent m;
  m.mutable_info()->set_hostname("a1");
  m.mutable_info()->mutable_id()->set_value("a1");
  bare(small).add_to(m.mutable_total());
  const auto offers = world.tell(m);
  world.decline(offers[0], 1000);
  CHECK(world.tell(m).empty());
  auto* rack = m.mutable_info()->add_attributes();
  rack->set_name("rack");
  rack->set_type(v1::Value::TEXT);
  rack->mutable_text()->set_value("r1");
  CHECK(world.tell(m).size() == 1);
}

TEST_CASE("a removed agent takes its offers, its tasks and its filters with it") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  world.decline(offers[0], 1000);
  world.remove_agent("a1");
  CHECK(world.look().agents().empty());
  CHECK(world.add_agent("a1", small).size() == 1);
}

TEST_CASE("tasks learnt of later are charged, even beyond what is free") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  world.charge("g", "a1", tagged("cpus:1", "ops"));
  CHECK(logged(world, "allocation.overcommitted agent=a1 excess=\"cpus:1\""));
  const auto again = world.give_back(offers[0]);
  REQUIRE(again.size() == 1);
  CHECK(again[0].content == tagged("cpus:3;mem:1024"));
  world.release("g", "a1", tagged("cpus:1", "ops"));
  world.charge("f", "nowhere", tagged("cpus:1"));
  CHECK(logged(world, "unknown_agent"));
}

// --- the end of frameworks, and messages that do not fit
// ----------------------------------------------------------------------------------

TEST_CASE("a removed framework's offers and tasks are free at once") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  world.use(offers[0], {{"cpus", 1000}});
  world.add_framework("g");
  const auto all = world.remove_framework("f");
  REQUIRE(all.size() == 1);
  CHECK(all[0].framework == "g");
  CHECK(all[0].content == tagged(small));
}

TEST_CASE("removing what is not known changes nothing") {
  allocator_world world;
  world.add_framework("f");
  world.add_agent("a1", small);
  const auto before = world.look().SerializeAsString();
  world.remove_agent("nowhere");
  world.remove_framework("nobody");
  CHECK(world.look().SerializeAsString() == before);
}

TEST_CASE("news about the unknown are ignored, with a line in the log") {
  allocator_world world;
  world.add_agent("a1", small);
  const auto before = world.look().SerializeAsString();
  for (const auto& tell : std::vector<std::function<void()>>{
           [&] { world.set_agent_active("nowhere", true); }, [&] { world.set_framework_active("nobody", true); },
           [&] { world.suppress("nobody"); }, [&] { world.revive("nobody"); },
           [&] { world.tell(internal::AddAgent()); }, [&] { world.tell(internal::AddFramework()); },
           [&] { world.tell(internal::UpdateFramework()); }}) {
    tell();
    CHECK(logged(world, "allocation.ignored"));
  }
  CHECK(world.look().SerializeAsString() == before);
}

TEST_CASE("settling what was never offered changes nothing, and is logged") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  offered forged = offers[0];
  for (const char* framework : {"f", "nobody"}) {
    for (const char* agent : {"a1", "nowhere"}) {
      for (const char* role : {"*", "eng"}) {
        if (std::string(framework) == "f" && std::string(agent) == "a1" && std::string(role) == "*") continue;
        forged.framework = framework;
        forged.agent = agent;
        forged.role = role;
        world.settle(forged, tagged("cpus:1", role), tagged("mem:1", role));
        CHECK(logged(world, "never_offered"));
      }
    }
  }
  CHECK(world.offered_on("a1") == bare(small));
  world.settle(offers[0], tagged("cpus:5"), {});
  CHECK(logged(world, "never_offered role=* resources=\"cpus:1\""));
  CHECK(world.used_on("a1") == bare("cpus:4"));
}

TEST_CASE("an offer settled twice is settled once") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  world.suppress("f");
  world.decline(offers[0], 5);
  world.decline(offers[0], 5);
  CHECK(logged(world, "never_offered"));
  CHECK(world.free_on("a1") == bare(small));
}

TEST_CASE("resources released twice are released once") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  world.use_all(offers[0]);
  world.suppress("f");
  world.release("f", "a1", tagged(small));
  world.release("f", "a1", tagged(small));
  CHECK(logged(world, "not_used"));
  CHECK(world.free_on("a1") == bare(small));
}

TEST_CASE("resources that are not well formed are ignored as a whole") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  internal::SettleOffer m;
  m.mutable_framework_id()->set_value("f");
  m.mutable_agent_id()->set_value("a1");
  m.set_role("*");
  auto* negative = m.add_used();
  negative->set_name("cpus");
  negative->set_type(v1::Value::SCALAR);
  negative->mutable_scalar()->set_value(-1);
  world.tell(m);
  CHECK(logged(world, "allocation.ignored message=SettleOffer"));
  internal::AddAgent agent;
  agent.mutable_info()->mutable_id()->set_value("a2");
  *agent.add_total() = *negative;
  world.tell(agent);
  CHECK(logged(world, "allocation.ignored message=AddAgent"));
  CHECK(world.look().agents_size() == 1);
  CHECK(world.offered_on("a1") == bare(small));
}

TEST_CASE("resources without an allocation tag count for the framework's only role") {
  allocator_world world;
  world.add_framework("f", {"eng"});
  world.add_agent("a1", small, {used_by("f", bare("cpus:1"))});
  CHECK(world.release("f", "a1", bare("cpus:1")).size() == 1);
  CHECK(world.used_on("a1").empty());
}

// --- when it wakes up
// -----------------------------------------------------------------------------------------------------------------

TEST_CASE("with nothing free, or nobody who wants it, the allocator sleeps") {
  allocator_world world;
  CHECK(world.wake_at == std::nullopt);
  world.add_framework("f");
  CHECK(world.wake_at == std::nullopt);
  const auto offers = world.add_agent("a1", small);
  CHECK(world.wake_at == std::nullopt);
  world.decline(offers[0], 3600);
  CHECK(world.wake_at != std::nullopt);
  world.suppress("f");
  world.pass(seconds(3600));
  CHECK(world.wake_at == std::nullopt);
}

TEST_CASE("a sweep is due once an interval while something is free that somebody wants") {
  allocator_world world;
  world.add_framework("f");
  const auto offers = world.add_agent("a1", small);
  world.decline(offers[0], 3600);
  const int before = world.steps;
  world.pass(seconds(10));
  CHECK(world.steps == before + 10);
}

}  // namespace troupe
