#include "isolators/containerizer.hpp"

#include "tests/isolators/container_lab.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <filesystem>

namespace troupe {
namespace {

using Catch::Matchers::Contains;

internal::SignalContainer signal_of(const std::string& id, int number) {
  internal::SignalContainer request;
  request.mutable_container_id()->set_value(id);
  request.set_signal(number);
  return request;
}

internal::DestroyContainer destroy_of(const std::string& id) {
  internal::DestroyContainer request;
  request.mutable_container_id()->set_value(id);
  return request;
}

}  // namespace

TEST_CASE("a container's exit code is its command's, and its output is in its sandbox") {
  container_lab lab(GENERATE(true, false));
  auto exited = lab.run(lab.shell("a", "echo out; echo err >&2; exit 7"));
  REQUIRE(exited.has_status());
  CHECK(WIFEXITED(exited.status()));
  CHECK(WEXITSTATUS(exited.status()) == 7);
  CHECK(lab.output_of("a") == "out");
  CHECK(lab.output_of("a", "stderr") == "err");
}

TEST_CASE("a command without a shell gets its arguments as they are") {
  container_lab lab;
  auto launch = lab.shell("a", "printf");
  launch.mutable_command()->set_shell(false);
  for (const char* argument : {"printf", "%s|", "two words", "$HOME", ""})
    launch.mutable_command()->add_arguments(argument);
  CHECK(lab.run(launch).status() == 0);
  CHECK(lab.output_of("a") == "two words|$HOME||");
}

TEST_CASE("a signal reaches the whole group of the command's processes") {
  container_lab lab(GENERATE(true, false));
  lab.hands().launch(lab.shell("a", "trap 'exit 5' TERM; sleep 1000 & echo ready > up; wait"));
  lab.await_launched("a");
  lab.await_file("a", "up");
  lab.hands().signal(signal_of("a", SIGTERM));
  auto exited = lab.await_exited("a");
  CHECK(WEXITSTATUS(exited.status()) == 5);
}

TEST_CASE("a command that a signal ends says by which") {
  container_lab lab;
  lab.hands().launch(lab.shell("a", "exec sleep 1000"));
  lab.await_launched("a");
  lab.hands().signal(signal_of("a", SIGUSR1));
  auto exited = lab.await_exited("a");
  CHECK(WIFSIGNALED(exited.status()));
  CHECK(WTERMSIG(exited.status()) == SIGUSR1);
}

TEST_CASE("a task has exactly three descriptors") {
  container_lab lab;
  // A descriptor that somebody forgot to mark close-on-exec must not reach the task either.
  int forgotten = ::dup2(0, 77);
  auto exited = lab.run(lab.shell("a",
                                  "for n in $(seq 0 1100); do [ -e /proc/$$/fd/$n ] && echo $n; done; "
                                  "readlink /proc/$$/fd/0"));
  ::close(forgotten);
  CHECK(exited.status() == 0);
  CHECK(lab.output_of("a") == "0\n1\n2\n/dev/null");
}

TEST_CASE("a shim holds no descriptor of the agent's") {
  container_lab lab;
  int forgotten = ::dup2(0, 77);
  // It closes what it was started with once the task has begun.
  auto exited = lab.run(lab.shell("a",
                                  "n=0; while [ -e /proc/$PPID/fd/4 ] && [ $n -lt 100000 ]; do n=$((n+1)); done; "
                                  "ls -l /proc/$PPID/fd | sed -n 's/.* -> //p'"));
  ::close(forgotten);
  CHECK(exited.status() == 0);
  CHECK(lab.output_of("a") == "/dev/null\n/dev/null\n/dev/null");
}

TEST_CASE("a task's environment is what was planned and nothing else") {
  ::setenv("TROUPE_LAB_SECRET", "of the agent", 1);
  container_lab lab;
  auto launch = lab.shell("a", "env");
  launch.mutable_command()->set_shell(false);
  launch.mutable_command()->add_arguments("env");
  auto add = [](v1::Environment* to, const std::string& name, const std::string& value) {
    auto* variable = to->add_variables();
    variable->set_name(name);
    variable->set_value(value);
  };
  add(launch.mutable_environment(), "A", "agent");
  add(launch.mutable_environment(), "B", "agent");
  add(launch.mutable_command()->mutable_environment(), "B", "command = own");
  CHECK(lab.run(launch).status() == 0);
  CHECK(lab.output_of("a") ==
        "A=agent\nB=command = own\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

TEST_CASE("a task runs as its user, in a sandbox that is the user's") {
  if (::geteuid() != 0) {
    WARN("not run: switching users needs root");
    return;
  }
  container_lab lab;
  auto launch =
      lab.shell("a", "id -un; id -G; touch mine && stat -c %U . mine stdout; grep NoNewPrivs /proc/self/status");
  launch.set_user("root");
  launch.mutable_command()->set_user("nobody");
  auto exited = lab.run(launch);
  CHECK(lab.output_of("a", "stderr").empty());
  CHECK(exited.status() == 0);
  CHECK(lab.output_of("a") == "nobody\n65534\nnobody\nnobody\nnobody\nNoNewPrivs:\t1");
}

TEST_CASE("a user who does not exist is named") {
  container_lab lab;
  auto launch = lab.shell("a", "true");
  launch.set_user("no-such-user");
  lab.hands().launch(launch);
  CHECK_THAT(lab.await_failed("a").message(), Contains("no-such-user"));
}

TEST_CASE("resource limits hold in the task") {
  container_lab lab;
  auto launch = lab.shell("a", "ulimit -S -n; ulimit -H -n; ulimit -S -c");
  auto* files = launch.mutable_rlimits()->add_rlimits();
  files->set_type(v1::RLimitInfo::RLimit::RLMT_NOFILE);
  files->set_soft(100);
  files->set_hard(200);
  auto* core = launch.mutable_rlimits()->add_rlimits();
  core->set_type(v1::RLimitInfo::RLimit::RLMT_CORE);
  core->set_soft(0);
  core->set_hard(0);
  CHECK(lab.run(launch).status() == 0);
  CHECK(lab.output_of("a") == "100\n200\n0");
}

TEST_CASE("a task's limit of open files is the one that its agent was started with, which raises its own") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit lower{300, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &lower) == 0);
  {
    container_lab lab;
    rlimit raised{};
    CHECK(::getrlimit(RLIMIT_NOFILE, &raised) == 0);
    CHECK(raised.rlim_cur == before.rlim_max);
    CHECK(lab.run(lab.shell("a", "ulimit -S -n")).status() == 0);
    CHECK(lab.output_of("a") == "300");
  }
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE("a program that is not there fails the launch by name, and leaves nothing") {
  container_lab lab(GENERATE(true, false));
  auto launch = lab.shell("a", "no-such-program");
  launch.mutable_command()->set_shell(false);
  lab.hands().launch(launch);
  auto failed = lab.await_failed("a");
  CHECK(failed.message() == "cannot run 'no-such-program': No such file or directory");
  CHECK(lab.groups().empty());
  internal::ReleaseContainer release;
  release.mutable_container_id()->set_value("a");
  lab.hands().release(release);
  CHECK(std::filesystem::is_empty(lab.options().runtime_directory + "/containers"));
}

TEST_CASE("output is not written through a link that the sandbox holds") {
  container_lab lab;
  auto victim = lab.sandbox_of("victim");
  std::filesystem::create_directories(lab.sandbox_of("a"));
  std::filesystem::create_symlink(victim, lab.sandbox_of("a") + "/stdout");
  lab.hands().launch(lab.shell("a", "echo overwritten"));
  CHECK_THAT(lab.await_failed("a").message(), Contains(lab.sandbox_of("a") + "/stdout"));
  CHECK_FALSE(std::filesystem::exists(victim));
}

TEST_CASE("what a command leaves running ends with it") {
  container_lab lab(GENERATE(true, false));
  auto exited = lab.run(lab.shell("a",
                                  "setsid sh -c 'sleep 1000 & echo $! > inner; exec sleep 1000' & "
                                  "while [ ! -s inner ]; do :; done; exit 3"));
  CHECK(WEXITSTATUS(exited.status()) == 3);
  CHECK_FALSE(process_runs(std::stoi(lab.output_of("a", "inner"))));
  CHECK(lab.groups().empty());
}

TEST_CASE("destroy ends a grandchild that has forked twice and opened a session of its own") {
  container_lab lab(GENERATE(true, false));
  lab.hands().launch(
      lab.shell("a",
                "(setsid sh -c 'trap \"\" TERM HUP; echo $$ > deep.tmp; mv deep.tmp deep; while :; do sleep 1000; "
                "done' &) ; exec sleep 1000"));
  auto launched = lab.await_launched("a");
  int deep = std::stoi(lab.await_file("a", "deep"));
  REQUIRE(process_runs(deep));
  lab.hands().destroy(destroy_of("a"));
  auto exited = lab.await_exited("a");
  CHECK(WIFSIGNALED(exited.status()));
  CHECK(WTERMSIG(exited.status()) == SIGKILL);
  CHECK_FALSE(process_runs(deep));
  CHECK_FALSE(process_runs(launched.pid()));
  CHECK(lab.groups().empty());
}

TEST_CASE("destroy ends processes that multiply") {
  container_lab lab(GENERATE(true, false));
  // Always a few dozen of them, each gone before one could look it up.
  lab.hands().launch(
      lab.shell("a", "f() { (f) & }; for i in 1 2 3 4 5 6 7 8; do f; done; echo up > up; exec sleep 1000"));
  auto launched = lab.await_launched("a");
  lab.await_file("a", "up");
  lab.hands().destroy(destroy_of("a"));
  CHECK(lab.await_exited("a").status() == SIGKILL);
  CHECK_FALSE(process_runs(launched.pid()));
  CHECK(lab.groups().empty());
}

TEST_CASE("destroy ends a container whose shim was stopped") {
  container_lab lab(GENERATE(true, false));
  lab.hands().launch(lab.shell("a", "echo $PPID > shim; sleep 1000"));
  auto launched = lab.await_launched("a");
  int shim = std::stoi(lab.await_file("a", "shim"));
  ::kill(shim, SIGSTOP);
  lab.hands().destroy(destroy_of("a"));
  auto exited = lab.await_exited("a");
  CHECK_FALSE(process_runs(shim));
  CHECK_FALSE(process_runs(launched.pid()));
  CHECK(lab.groups().empty());
}

TEST_CASE("a container whose shim was killed ends, and nobody knows how") {
  container_lab lab(GENERATE(true, false));
  lab.hands().launch(lab.shell("a", "echo $PPID > shim; sleep 1000"));
  auto launched = lab.await_launched("a");
  int shim = std::stoi(lab.await_file("a", "shim"));
  ::kill(shim, SIGKILL);
  auto exited = lab.await_exited("a");
  CHECK_FALSE(exited.has_status());
  CHECK(await_gone(launched.pid()));
  CHECK(lab.groups().empty());
}

TEST_CASE("an unknown container is answered as exited without a status") {
  container_lab lab;
  lab.hands().destroy(destroy_of("nobody"));
  CHECK_FALSE(lab.await_exited("nobody").has_status());
  lab.hands().signal(signal_of("nobody", SIGTERM));
  CHECK_FALSE(lab.await_exited("nobody").has_status());
}

TEST_CASE("a launch that comes twice is answered twice and starts one process") {
  container_lab lab;
  auto launch = lab.shell("a", "echo once >> runs; exec sleep 1000");
  lab.hands().launch(launch);
  auto first = lab.await_launched("a");
  lab.await_file("a", "runs");
  lab.hands().launch(launch);
  auto second = lab.await_launched("a");
  CHECK(first.pid() == second.pid());
  CHECK(first.start_time() == second.start_time());

  lab.hands().destroy(destroy_of("a"));
  lab.await_exited("a");
  lab.hands().launch(launch);
  CHECK(lab.await_launched("a").pid() == first.pid());
  CHECK(lab.await_exited("a").status() == SIGKILL);
  CHECK(lab.output_of("a", "runs") == "once");
}

TEST_CASE("two hundred containers run at the same time") {
  container_lab lab;
  auto name = [](int i) { return "many-" + std::to_string(i); };
  for (int i = 0; i < 200; ++i) lab.hands().launch(lab.shell(name(i), "exec sleep 1000"));
  for (int i = 0; i < 200; ++i) CHECK(process_runs(lab.await_launched(name(i)).pid()));
  for (int i = 0; i < 200; ++i) lab.hands().destroy(destroy_of(name(i)));
  for (int i = 0; i < 200; ++i) CHECK(lab.await_exited(name(i)).status() == SIGKILL);
  CHECK(lab.groups().empty());
}

TEST_CASE("its end ends all containers, and tells of each") {
  container_lab lab(GENERATE(true, false));
  lab.hands().launch(lab.shell("a", "exec sleep 1000"));
  lab.hands().launch(lab.shell("b", "exec sleep 1000"));
  auto a = lab.await_launched("a");
  lab.close();
  CHECK(lab.await_exited("a").status() == SIGKILL);
  lab.await_launched("b");
  CHECK(lab.await_exited("b").status() == SIGKILL);
  CHECK_FALSE(process_runs(a.pid()));
  CHECK_FALSE(std::filesystem::exists(group_of(lab.options(), "freezer")));
}

}  // namespace troupe
