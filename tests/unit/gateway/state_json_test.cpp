#include "actors/gateway/state_json.hpp"
#include "protocol/resources.hpp"

#include <catch2/catch.hpp>

namespace troupe {

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* what_agents_can =
    R"("capabilities":["MULTI_ROLE","HIERARCHICAL_ROLE","RESERVATION_REFINEMENT","TASK_RESOURCE_LIMITS"])";

daemon_facts facts() {
  daemon_facts known;
  known.build.version = "0.1.0";
  known.hostname = "h";
  known.address = "h:5050";
  return known;
}

v1::AgentInfo agent_info() {
  v1::AgentInfo info;
  info.set_hostname("a");
  info.mutable_id()->set_value("a-1");
  info.mutable_domain()->mutable_fault_domain()->mutable_region()->set_name("r");
  info.mutable_domain()->mutable_fault_domain()->mutable_zone()->set_name("z");
  resources::parse("cpus:4;mem(ads):512").value().add_to(info.mutable_resources());
  return info;
}

v1::Task task(const std::string& id, v1::TaskState state) {
  v1::Task one;
  one.set_name(id);
  one.mutable_task_id()->set_value(id);
  one.mutable_framework_id()->set_value("f");
  one.mutable_agent_id()->set_value("a-1");
  one.set_state(state);
  resources::parse("cpus:1").value().allocated_to("ads").add_to(one.mutable_resources());
  return one;
}

}  // namespace

TEST_CASE("a master's state says what each agent can do, where it stands, and who leads") {
  internal::MasterView view;
  view.mutable_master()->set_id("m");
  view.mutable_master()->set_port(5050);
  view.mutable_master()->set_hostname("h");
  view.mutable_master()->add_capabilities()->set_type(v1::MasterInfo::Capability::QUOTA_V2);
  *view.add_agents()->mutable_info() = agent_info();
  const auto json = master_state_json(view, facts());
  INFO(json);
  CHECK(contains(json, R"("capabilities":["QUOTA_V2"])"));
  CHECK(contains(json, R"("leader_info":{"id":"m","pid":"master@h:5050","port":5050,"hostname":"h"})"));
  CHECK(contains(json, what_agents_can));
  CHECK(contains(json, R"("domain":{"fault_domain":{"region":{"name":"r"},"zone":{"name":"z"}}})"));
}

TEST_CASE("an agent's state tells what is reserved in full, and what is allocated to whatever has not ended") {
  internal::AgentView view;
  *view.mutable_info() = agent_info();
  auto& executor = *view.add_frameworks()->add_executors();
  view.mutable_frameworks(0)->mutable_info()->set_name("n");
  view.mutable_frameworks(0)->mutable_info()->set_user("u");
  view.mutable_frameworks(0)->mutable_info()->add_roles("ads");
  executor.mutable_info()->mutable_executor_id()->set_value("e");
  executor.mutable_info()->set_type(v1::ExecutorInfo::CUSTOM);
  *executor.add_tasks() = task("runs", v1::TASK_RUNNING);
  *executor.add_tasks() = task("over", v1::TASK_FINISHED);
  const auto json = agent_state_json(view, facts());
  INFO(json);
  CHECK(contains(json, what_agents_can));
  CHECK(contains(json, R"("unreserved_resources_allocated":{"cpus":1.0,)"));
  CHECK(contains(json, R"("unreserved_resources_full":[{"name":"cpus",)"));
  CHECK(contains(json, R"("reserved_resources_full":{"ads":[{"name":"mem",)"));
  CHECK(contains(json, R"("roles":["ads"])"));
  CHECK(contains(json, R"("type":"CUSTOM")"));
  CHECK(contains(json, R"("role":"ads")"));
}

}  // namespace troupe
