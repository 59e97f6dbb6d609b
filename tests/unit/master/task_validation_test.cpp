#include "actors/master/task_validation.hpp"

#include "tests/unit/master/master_driver.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace troupe;
using namespace troupe::testing;

namespace {

/// A site with 4 cpus, 1024 MB and ports 1 to 10 on agent "a", and a task that is fine there until a test spoils it.
struct validation {
  framework owner;
  registered_agent agent;
  resources pool = text("cpus:4;mem:1024;gpus:2;ports:[1-10]").allocated_to("*");
  v1::TaskInfo task = command_task("t", agent_id("a"), "cpus:1;mem:64");

  validation() {
    owner.id = framework_id("f");
    owner.unreachable = task_ring(10);
    agent.id = agent_id("a");
  }
  result<launch_claim> judge() const { return validate_task(with_defaults(task, owner.id, "*"), {owner, agent, pool}); }
  std::string objection() const {
    const auto claim = judge();
    return claim ? std::string() : claim.error().message;
  }
};

void check_refused(const validation& v, const std::string& word) {
  INFO(v.task.ShortDebugString());
  CHECK_THAT(v.objection(), Catch::Contains(word));
}

template <class Spoil>
void refused(const std::string& word, Spoil spoil) {
  validation v;
  REQUIRE(v.objection().empty());
  spoil(v);
  check_refused(v, word);
}

}  // namespace

TEST_CASE("a task that fits is admitted with what it takes", "[master]") {
  validation v;
  CHECK(v.judge()->task == text("cpus:1;mem:64").allocated_to("*"));
  CHECK(v.judge()->executor.empty());
  v.task = executor_task("t", agent_id("a"), "cpus:1", "e", "cpus:0.1");
  CHECK(v.judge()->executor == text("cpus:0.1").allocated_to("*"));
}

TEST_CASE("a task's ids must be fresh, well-formed and the offer's", "[master]") {
  refused("task_id", [](validation& v) { v.task.mutable_task_id()->set_value("a/b"); });
  refused("task_id", [](validation& v) { v.task.mutable_task_id()->set_value(""); });
  refused("agent_id", [](validation& v) { v.task.mutable_agent_id()->set_value("b"); });
  refused("not ended", [](validation& v) { v.owner.tasks[task_id("t")]; });
  refused("unreachable",
          [](validation& v) { v.owner.unreachable.push(listed(framework_id("f"), "t", v1::TASK_UNREACHABLE)); });
}

TEST_CASE("a task has a command or an executor of the right kind", "[master]") {
  const auto custom = executor_task("t", agent_id("a"), "cpus:1", "e", "cpus:1");
  refused("command or an executor", [](validation& v) { v.task.clear_command(); });
  refused("not both", [&](validation& v) { *v.task.mutable_executor() = custom.executor(); });
  const auto spoil = [&](const std::string& word, auto change) {
    refused(word, [&](validation& v) {
      v.task = custom;
      change(*v.task.mutable_executor());
    });
  };
  spoil("executor.type", [](auto& e) { e.set_type(v1::ExecutorInfo::DEFAULT); });
  spoil("executor.command", [](auto& e) { e.clear_command(); });
  spoil("executor_id", [](auto& e) { e.mutable_executor_id()->set_value(".."); });
  spoil("framework_id", [](auto& e) { e.mutable_framework_id()->set_value("another"); });
  spoil("shutdown_grace_period", [](auto& e) { e.mutable_shutdown_grace_period()->set_nanoseconds(-1); });
}

TEST_CASE("a task's resources must be well-formed and offered", "[master]") {
  const auto with = [](const std::string& resources) {
    return [=](validation& v) {
      v.task.clear_resources();
      if (!resources.empty()) text(resources).add_to(v.task.mutable_resources());
    };
  };
  refused("resources must not be empty", with(""));
  refused("offer has only", with("cpus:4.001"));
  refused("offer has only", with("ports:[10-11]"));
  refused("offer has only", with("disk:1"));
  refused("whole number", [](validation& v) {
    v.task = command_task("t", agent_id("a"), "gpus:1");
    v.task.mutable_resources(0)->mutable_scalar()->set_value(0.5);
  });
  refused("one role", [](validation& v) { v.task.mutable_resources(0)->mutable_allocation_info()->set_role("other"); });
  refused("resources", [](validation& v) { v.task.mutable_resources(0)->mutable_scalar()->set_value(-1); });
  refused("overlap",
          [](validation& v) { v.task = executor_task("t", agent_id("a"), "ports:[1-3]", "e", "ports:[3-4]"); });
  refused("revocable", [](validation& v) {
    auto revocable = v.task.resources(0);
    revocable.mutable_revocable();
    *v.task.add_resources() = revocable;
  });
}

TEST_CASE("requests that are absurd in all do not overflow before they are refused", "[master]") {
  const auto absurd = [](double each) {
    return [=](validation& v) {
      for (int i = 0; i < 20; ++i) {
        auto* entry = v.task.add_resources();
        *entry = v.task.resources(0);
        entry->set_name("cpus");
        entry->mutable_scalar()->set_value(each);
      }
      (*v.task.mutable_limits())["cpus"].set_value(100);
    };
  };
  refused("at least", absurd(9e14));
  refused("resources", absurd(-9e14));
}

TEST_CASE("limits are at least the request, of cpus and mem only", "[master]") {
  const auto limit = [](const std::string& name, double value) {
    return [=](validation& v) { (*v.task.mutable_limits())[name].set_value(value); };
  };
  refused("at least", limit("cpus", 0.5));
  refused("at least", limit("mem", std::numeric_limits<double>::quiet_NaN()));
  refused("only cpus and mem", limit("disk", 100));
  refused("needs a request", [](validation& v) {
    v.task = command_task("t", agent_id("a"), "cpus:1");
    (*v.task.mutable_limits())["mem"].set_value(100);
  });
  validation v;
  (*v.task.mutable_limits())["cpus"].set_value(std::numeric_limits<double>::infinity());
  (*v.task.mutable_limits())["mem"].set_value(64);
  CHECK(v.objection().empty());
}

TEST_CASE("durations and checks must make sense", "[master]") {
  refused("grace_period",
          [](validation& v) { v.task.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(-1); });
  refused("max_completion_time", [](validation& v) { v.task.mutable_max_completion_time()->set_nanoseconds(-1); });
  refused("health_check.type", [](validation& v) { v.task.mutable_health_check(); });
  refused("health_check.command.value", [](validation& v) { v.task.mutable_health_check()->mutable_command(); });
  refused("health_check.http.scheme", [](validation& v) {
    v.task.mutable_health_check()->mutable_http()->set_port(1);
    v.task.mutable_health_check()->mutable_http()->set_scheme("ftp");
  });
  refused("health_check.http.path", [](validation& v) {
    v.task.mutable_health_check()->mutable_http()->set_port(1);
    v.task.mutable_health_check()->mutable_http()->set_path("x");
  });
  refused("health_check.tcp", [](validation& v) { v.task.mutable_health_check()->set_type(v1::HealthCheck::TCP); });
  refused("health_check.delay_seconds", [](validation& v) {
    v.task.mutable_health_check()->mutable_command()->set_value("true");
    v.task.mutable_health_check()->set_delay_seconds(-1);
  });
  refused("check.type", [](validation& v) { v.task.mutable_check(); });
  refused("check.tcp", [](validation& v) { v.task.mutable_check()->set_type(v1::CheckInfo::TCP); });
  refused("check.timeout_seconds", [](validation& v) {
    v.task.mutable_check()->set_type(v1::CheckInfo::TCP);
    v.task.mutable_check()->mutable_tcp()->set_port(1);
    v.task.mutable_check()->set_timeout_seconds(std::numeric_limits<double>::quiet_NaN());
  });
}

TEST_CASE("environment variables and secrets have exactly what their type says", "[master]") {
  const auto variable = [](auto change) {
    return [=](validation& v) {
      auto* one = v.task.mutable_command()->mutable_environment()->add_variables();
      one->set_name("NAME");
      change(*one);
    };
  };
  refused("NAME", variable([](auto&) {}));
  refused("type must be", variable([](auto& one) { one.set_type(v1::Environment::Variable::UNKNOWN); }));
  refused("secret", variable([](auto& one) { one.set_type(v1::Environment::Variable::SECRET); }));
  refused("NUL", variable([](auto& one) {
            one.set_type(v1::Environment::Variable::SECRET);
            one.mutable_secret()->set_type(v1::Secret::VALUE);
            one.mutable_secret()->mutable_value()->set_data(std::string("a\0b", 3));
          }));
  refused("REFERENCE", variable([](auto& one) {
            one.set_type(v1::Environment::Variable::SECRET);
            one.mutable_secret()->set_type(v1::Secret::REFERENCE);
          }));
}

TEST_CASE("containers have exactly what their type says", "[master]") {
  const auto container = [](auto change) {
    return [=](validation& v) {
      v.task.mutable_container()->set_type(v1::ContainerInfo::MESOS);
      change(*v.task.mutable_container());
    };
  };
  refused("docker", container([](auto& one) { one.set_type(v1::ContainerInfo::DOCKER); }));
  refused("exactly one", container([](auto& one) {
            one.add_volumes()->set_container_path("p");
            one.mutable_volumes(0)->set_mode(v1::Volume::RW);
          }));
  refused("sandbox_path", container([](auto& one) {
            one.add_volumes()->set_container_path("p");
            one.mutable_volumes(0)->set_mode(v1::Volume::RW);
            one.mutable_volumes(0)->mutable_source()->set_type(v1::Volume::Source::SANDBOX_PATH);
          }));
  refused("share_cgroups", container([](auto& one) { one.mutable_linux_info()->set_share_cgroups(false); }));
}
