#include "actors/agent/reconfiguration.hpp"
#include "protocol/attributes.hpp"
#include "protocol/resources.hpp"
#include "tests/unit/agent/agent_fixture.hpp"

using namespace troupe;
using namespace troupe::testing;
using Catch::Contains;

namespace {

v1::AgentInfo info(const std::string& resources, const std::string& attributes = {}) {
  v1::AgentInfo made;
  made.set_hostname("host");
  *made.mutable_resources() = resources::parse(resources).value().proto();
  *made.mutable_attributes() = parse_attributes(attributes).value();
  return made;
}

/// What is wrong with the change; empty if it may be.
std::string objection(const v1::AgentInfo& was, const v1::AgentInfo& now,
                      reconfiguration_policy policy = reconfiguration_policy::additive) {
  const auto checked = check_reconfiguration(was, now, policy);
  if (checked) return {};
  CHECK(checked.error().code == errc::conflict);
  return checked.error().message;
}

agent_options with_info(const v1::AgentInfo& info) {
  auto options = agent_fixture::default_options();
  options.info = info;
  return options;
}

/// The agent of `before`, started again like this.
agent_fixture again(const agent_fixture& before, agent_options options) {
  agent_fixture after(std::move(options));
  after.restore(before.store());
  return after;
}

std::vector<std::string> told(const outbox& out) {
  std::vector<std::string> names;
  for (const auto& event : all_said<internal::ProgramEvent>(out)) names.push_back(event.name());
  return names;
}

}  // namespace

TEST_CASE("an agent may come back as it was, and with more") {
  const auto was = info("cpus:4;mem:1024;ports:[31000-31010];tags:{a};cpus(eng):1", "rack:r1;level:2;r:[1-3];s:{a}");
  CHECK(objection(was, was).empty());
  CHECK(objection(was, info("cpus:4;mem:2048;ports:[31000-31999,40000-40001];tags:{a,b};cpus(eng):1.5;gpus:2",
                            "rack:r1;level:3;r:[1-9];s:{b,a};zone:east"))
            .empty());
}

TEST_CASE("each resource that became less is named with what it was, what it would be, and what is valid") {
  const auto said = objection(info("cpus:4;mem:1024;gpus:2;ports:[1-9];tags:{a,b}"),
                              info("cpus:2;mem:1024;ports:[1-3,5-9];tags:{b,c}"));
  CHECK_THAT(said, Contains("\n  resource cpus: was cpus:4, would be cpus:2; valid: cpus:4 or more"));
  CHECK_THAT(said, Contains("\n  resource gpus: was gpus:2, would be nothing; valid: gpus:2 or more"));
  CHECK_THAT(said,
             Contains("\n  resource ports: was ports:[1-9], would be ports:[1-3,5-9]; valid: ports:[1-9] or more"));
  CHECK_THAT(said, Contains("\n  resource tags: was tags:{a,b}, would be tags:{b,c}; valid: tags:{a,b} or more"));
  CHECK_THAT(said, !Contains("mem"));
}

TEST_CASE("a thousandth less is less, and one more is more") {
  CHECK_THAT(objection(info("cpus:4"), info("cpus:3.999")), Contains("was cpus:4, would be cpus:3.999"));
  CHECK(objection(info("cpus:4"), info("cpus:4.001")).empty());
}

TEST_CASE("what was unreserved does not become reserved, nor the other way round") {
  CHECK_THAT(objection(info("cpus:4"), info("cpus:2;cpus(eng):2")),
             Contains("was cpus:4, would be cpus:2; valid: cpus:4 or more"));
  CHECK_THAT(objection(info("cpus(eng):4"), info("cpus:8")),
             Contains("was cpus(eng):4, would be cpus:8; valid: cpus(eng):4 or more"));
}

TEST_CASE("a resource does not change its type") {
  CHECK_THAT(objection(info("x:4"), info("x:[1-9]")), Contains("was x:4, would be x:[1-9]"));
}

TEST_CASE("a disk that is handed out as a whole stays as large as it was") {
  const std::string mount = "disk{disk{source { type: MOUNT mount { root: \"/mnt/a\" } }}}:";
  CHECK(objection(info(mount + "64"), info(mount + "64;disk:9")).empty());
  const auto said = objection(info(mount + "64"), info(mount + "128"));
  CHECK_THAT(said, Contains(":64, would be ") && Contains(":128; valid: ") && !Contains("or more"));
}

TEST_CASE("each attribute that changed is named, and texts do not grow") {
  const auto said =
      objection(info("", "rack:r1;zone:east;level:2;r:[1-3];s:{a}"), info("", "rack:r2;level:1;r:[1-2];s:{b};new:1"));
  CHECK_THAT(said, Contains("\n  attribute rack: was rack:r1, would be rack:r2; valid: rack:r1"));
  CHECK_THAT(said, Contains("\n  attribute zone: was zone:east, would be nothing; valid: zone:east"));
  CHECK_THAT(said, Contains("\n  attribute level: was level:2, would be level:1; valid: level:2 or more"));
  CHECK_THAT(said, Contains("\n  attribute r: was r:[1-3], would be r:[1-2]; valid: r:[1-3] or more"));
  CHECK_THAT(said, Contains("\n  attribute s: was s:{a}, would be s:{b}; valid: s:{a} or more"));
  CHECK_THAT(said, !Contains("new"));
}

TEST_CASE("of attributes with one name the first stays the first, which is what constraints look at") {
  CHECK(objection(info("", "rack:a"), info("", "rack:a;rack:b")).empty());
  CHECK_THAT(objection(info("", "rack:a"), info("", "rack:b;rack:a")), Contains("was rack:a, would be rack:b"));
}

TEST_CASE("the order of resources and of attributes with different names does not matter") {
  CHECK(objection(info("cpus:1;mem:2", "a:1;b:2"), info("mem:2;cpus:1", "b:2;a:1")).empty());
}

TEST_CASE("an agent may listen on another port, but stays on its host") {
  auto was = info("cpus:1"), now = was;
  was.set_port(1);
  now.set_port(2);
  CHECK(objection(was, now).empty());
  CHECK(objection(was, now, reconfiguration_policy::equal).empty());
  now.set_hostname("other");
  CHECK_THAT(objection(was, now), Contains("hostname: was host, would be other; valid: host"));
}

TEST_CASE("a domain may be set where there was none, and then stays") {
  const auto none = info("cpus:1");
  auto one = none, two = none;
  one.mutable_domain()->mutable_fault_domain()->mutable_region()->set_name("r1");
  two.mutable_domain()->mutable_fault_domain()->mutable_region()->set_name("r2");
  CHECK(objection(none, one).empty());
  CHECK_THAT(objection(one, two), Contains("domain: was ") && Contains("r2"));
  CHECK_THAT(objection(one, none), Contains("would be nothing"));
}

TEST_CASE("under the policy equal nothing may change, not even to more") {
  const auto equal = reconfiguration_policy::equal;
  const auto was = info("cpus:4", "rack:r1");
  CHECK(objection(was, was, equal).empty());
  const auto said = objection(was, info("cpus:8;gpus:1", "rack:r1;zone:east"), equal);
  CHECK_THAT(said, Contains("resource cpus: was cpus:4, would be cpus:8; valid: cpus:4\n"));
  CHECK_THAT(said, Contains("resource gpus: was nothing, would be gpus:1; valid: nothing"));
  CHECK_THAT(said, Contains("attribute zone: was nothing, would be zone:east; valid: nothing"));
}

TEST_CASE("policies have names") {
  CHECK(reconfiguration_policy_of("equal") == reconfiguration_policy::equal);
  CHECK(reconfiguration_policy_of("additive") == reconfiguration_policy::additive);
  CHECK_FALSE(reconfiguration_policy_of("any"));
}

TEST_CASE("an agent that comes back with more says so under its id, and records it once it is admitted") {
  agent_fixture before(with_info(info("cpus:4")));
  before.registered();
  auto container = before.start(command_task());
  auto f = again(before, with_info(info("cpus:8;gpus:1", "zone:east")));
  CHECK(told(f.last()) == std::vector<std::string>{"recovered", "admitted"});
  CHECK(said<internal::SpawnExecutor>(f.last()).container_id().value() == container);
  const auto calls = all_said<internal::ReregisterAgent>(f.pass(1s));
  REQUIRE_FALSE(calls.empty());
  CHECK(calls.front().info().id().value() == "agent-1");
  CHECK(resources::from(calls.front().info().resources()).value().text() == "cpus:8; gpus:1");
  CHECK(calls.front().info().attributes_size() == 1);
  f.registered(2);
  internal::AgentSelfRecord self;
  REQUIRE(decode_record(f.store().at("agent/self"), self));
  CHECK(resources::from(self.info().resources()).value().text() == "cpus:8; gpus:1");
  // Which is what counts from now on.
  CHECK(told(again(f, with_info(info("cpus:4"))).last()) == std::vector<std::string>{"misconfigured"});
}

TEST_CASE("an agent that would come back with less says why, and does nothing at all") {
  agent_fixture before(with_info(info("cpus:4")));
  before.registered();
  auto built_in = before.start(command_task("t-1"), "f-1");
  auto custom = before.start(custom_task("t-2"), "f-2");
  before.update(built_in, before.status(v1::TASK_RUNNING, "t-1"));
  auto f = again(before, with_info(info("cpus:2")));
  REQUIRE(told(f.last()) == std::vector<std::string>{"misconfigured"});
  CHECK_THAT(said<internal::ProgramEvent>(f.last()).data(), Contains("was cpus:4, would be cpus:2"));
  CHECK(f.last().letters.size() == 1);
  CHECK(f.last().edits.empty());
  CHECK_FALSE(f.wake_at());
  CHECK(f.connected(leader()).letters.empty());
  CHECK(f.registered(2).edits.empty());
  CHECK(f.ping().letters.empty());
  CHECK(f.subscribe(custom).letters.empty());
  CHECK(f.exited(custom, 0).edits.empty());
  CHECK(f.pass(1h).empty());
  CHECK_THAT(f.view().refusal(), Contains("cpus:2"));
  CHECK_FALSE(f.core().finished());
  CHECK(f.store() == before.store());
  // As it was, it goes on.
  auto back = again(f, with_info(info("cpus:4")));
  CHECK(told(back.last()) == std::vector<std::string>{"recovered", "admitted"});
  CHECK(said<internal::KeepContainers>(back.last()).container_ids_size() == 2);
}

TEST_CASE("an agent that was never admitted, or has left, comes back as anything") {
  agent_fixture never(with_info(info("cpus:4")));
  CHECK(told(again(never, with_info(info("cpus:2"))).last()) == std::vector<std::string>{"recovered"});
  never.registered();
  internal::ProgramEvent leave;
  leave.set_name("leave");
  never.hear(address(internal::RUNTIME, "local"), leave);
  CHECK(told(again(never, with_info(info("cpus:2"))).last()) == std::vector<std::string>{"recovered"});
}

TEST_CASE("after a reboot an agent is held to what it was admitted with, too") {
  agent_fixture before(with_info(info("cpus:4")));
  before.registered();
  auto options = with_info(info("cpus:2"));
  options.boot_id = "boot-2";
  CHECK(told(again(before, options).last()) == std::vector<std::string>{"misconfigured"});
  options.info = info("cpus:6");
  auto f = again(before, options);
  CHECK(all_said<internal::ReregisterAgent>(f.pass(1s)).front().info().id().value() == "agent-1");
}
