#include "isolators/launch_plan.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>

namespace troupe {
namespace {

using Catch::Matchers::Contains;

internal::LaunchContainer shell(const std::string& script) {
  internal::LaunchContainer launch;
  launch.mutable_command()->set_value(script);
  launch.set_sandbox("/sandbox");
  return launch;
}

void add(v1::Environment* to, const std::string& name, const std::string& value) {
  auto* variable = to->add_variables();
  variable->set_name(name);
  variable->set_value(value);
}

std::string refusal(const internal::LaunchContainer& launch) {
  auto plan = plan_launch(launch, {});
  REQUIRE(plan.has_error());
  CHECK(plan.error().code == errc::invalid_argument);
  return plan.error().message;
}

}  // namespace

TEST_CASE("a shell command is one argument of sh, and its arguments are not used") {
  auto launch = shell("echo a b");
  launch.mutable_command()->add_arguments("ignored");
  auto plan = plan_launch(launch, {}).value();
  CHECK(plan.program == "/bin/sh");
  CHECK(plan.arguments == std::vector<std::string>{"sh", "-c", "echo a b"});
}

TEST_CASE("without a shell the value is the program and the arguments are all of its own") {
  auto launch = shell("ls");
  launch.mutable_command()->set_shell(false);
  CHECK(plan_launch(launch, {})->arguments == std::vector<std::string>{"ls"});
  launch.mutable_command()->add_arguments("other name");
  launch.mutable_command()->add_arguments("-l");
  auto plan = plan_launch(launch, {}).value();
  CHECK(plan.program == "ls");
  CHECK(plan.arguments == std::vector<std::string>{"other name", "-l"});
}

TEST_CASE("the command's environment wins over the agent's, which wins over the default") {
  auto launch = shell("true");
  add(launch.mutable_environment(), "A", "agent");
  add(launch.mutable_environment(), "B", "agent");
  add(launch.mutable_command()->mutable_environment(), "B", "command");
  auto plan = plan_launch(launch, {}).value();
  CHECK(plan.environment.size() == 3);
  CHECK(plan.environment["A"] == "agent");
  CHECK(plan.environment["B"] == "command");
  CHECK_THAT(plan.environment["PATH"], Contains("/usr/bin"));
  add(launch.mutable_environment(), "PATH", "/opt/bin");
  CHECK(plan_launch(launch, {})->environment["PATH"] == "/opt/bin");
}

TEST_CASE("what cannot be run is refused, naming the field") {
  CHECK_THAT(refusal(shell("")), Contains("command.value"));
  auto fetching = shell("true");
  fetching.mutable_command()->add_uris()->set_value("http://example.com/a");
  CHECK_THAT(refusal(fetching), Contains("command.uris"));
  auto relative = shell("true");
  relative.set_sandbox("sandbox");
  CHECK_THAT(refusal(relative), Contains("sandbox 'sandbox'"));
  auto nameless = shell("true");
  add(nameless.mutable_environment(), "", "x");
  CHECK_THAT(refusal(nameless), Contains("environment.variables.name"));
  auto assigned = shell("true");
  add(assigned.mutable_command()->mutable_environment(), "A=B", "x");
  CHECK_THAT(refusal(assigned), Contains("command.environment.variables.name 'A=B'"));
  auto secret = shell("true");
  add(secret.mutable_environment(), "S", "");
  secret.mutable_environment()->mutable_variables(0)->set_type(v1::Environment::Variable::SECRET);
  CHECK_THAT(refusal(secret), Contains("SECRET"));
}

TEST_CASE("the flat form is entries ended by NUL, between a version and an end") {
  launch_plan plan;
  plan.program = "/bin/a";
  plan.arguments = {"a", "b=c"};
  plan.environment = {{"X", "1"}, {"A", "2"}};
  plan.sandbox = "/sandbox";
  plan.user = task_user{1000, 100, {100, 4}};
  plan.limits = {{7, 10, 20}};
  plan.join = {"/cgroup/procs"};
  plan.files = {"/run/c", "/run/c/pid", "/run/c/status", "/run/c/end"};
  plan.boot_id = "boot-1";
  auto text = flat_form(plan).value();
  std::replace(text.begin(), text.end(), '\0', '\n');
  CHECK(
      text ==
      "troupe-plan=1\nprogram=/bin/a\nargv=a\nargv=b=c\nenv=A=2\nenv=X=1\ncwd=/sandbox\nstdout=stdout\nstderr=stderr\n"
      "uid=1000\ngid=100\ngroup=100\ngroup=4\nrlimit=7:10:20\njoin=/cgroup/procs\nstatus=/run/c/status\npid=/run/c/"
      "pid\n"
      "boot=boot-1\nend=\n");
}

TEST_CASE("nothing can be smuggled into the flat form") {
  auto launch = shell(std::string("true\0uid=0", 10));
  auto text = flat_form(plan_launch(launch, {}).value());
  REQUIRE(text.has_error());
  CHECK_THAT(text.error().message, Contains("NUL"));
}

TEST_CASE("a plan of more than two megabytes is refused with its size") {
  auto text = flat_form(plan_launch(shell(std::string(3'000'000, 'x')), {}).value());
  REQUIRE(text.has_error());
  CHECK_THAT(text.error().message, Contains("3000"));
}

TEST_CASE("a failed start is explained with the object and the system's words") {
  auto plan = plan_launch(shell("x"), task_user{1000, 100, {}}).value();
  plan.program = "frobnicate";
  shim_report report;
  report.failed_step = "program";
  report.failed_errno = ENOENT;
  CHECK(explain_failure(plan, report) == "cannot run 'frobnicate': No such file or directory");
  report.failed_step = "user";
  report.failed_errno = EPERM;
  CHECK(explain_failure(plan, report) == "cannot become uid 1000: Operation not permitted");
  report.failed_step = "novelty";
  CHECK_THAT(explain_failure(plan, report), Contains("novelty"));
}

}  // namespace troupe
