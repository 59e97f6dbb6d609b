#include "actors/executor/executor.hpp"

#include "tests/unit/core_driver.hpp"
#include "tests/unit/seeds.hpp"

#include <csignal>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

const Address the_agent = address(internal::AGENT, "a");
const Address containerizer = address(internal::CONTAINERIZER, "local");

internal::SpawnExecutor spawn() {
  internal::SpawnExecutor request;
  *request.mutable_executor() = address(internal::EXECUTOR, "c-1");
  request.mutable_framework()->mutable_id()->set_value("f-1");
  request.mutable_framework()->set_user("nobody");
  request.mutable_framework()->set_name("a framework");
  request.mutable_info()->mutable_executor_id()->set_value("t-1");
  request.mutable_container_id()->set_value("c-1");
  request.set_sandbox("/work/sandbox");
  request.set_shutdown_grace_ms(5000);
  return request;
}

v1::TaskInfo command_task(const std::string& id = "t-1") {
  v1::TaskInfo info;
  info.set_name("a task");
  info.mutable_task_id()->set_value(id);
  info.mutable_agent_id()->set_value("agent-1");
  info.mutable_command()->set_value("sleep 1");
  return info;
}

struct fixture : core_driver<executor> {
  explicit fixture(internal::SpawnExecutor request = spawn())
      : core_driver([=] { return executor(options(request)); },
                    [=](const internal::ExecutorState& s) { return executor::load(s, options(request)); }) {
    recover();
  }

  static executor_options options(const internal::SpawnExecutor& request) {
    executor_options o;
    o.agent = the_agent;
    o.spawn = request;
    return o;
  }

  const outbox& subscribed() {
    executor_api::Event::Subscribed event;
    *event.mutable_executor_info() = spawn().info();
    *event.mutable_framework_info() = spawn().framework();
    event.mutable_agent_info()->set_hostname("host");
    return hear(the_agent, event);
  }
  const outbox& launch(const v1::TaskInfo& info = command_task()) {
    executor_api::Event::Launch event;
    *event.mutable_task() = info;
    return hear(the_agent, event);
  }
  const outbox& launched(const std::string& container = "c-1", std::chrono::nanoseconds ago = {}) {
    internal::ContainerLaunched event;
    event.mutable_container_id()->set_value(container);
    event.set_pid(100);
    event.mutable_launched_at()->set_nanoseconds((wall_now() - ago).time_since_epoch().count());
    return hear(containerizer, event);
  }
  const outbox& reconnect() {
    internal::PeerDisconnected gone;
    *gone.mutable_peer() = the_agent;
    hear(address(internal::RUNTIME, "local"), gone);
    internal::PeerConnected back;
    *back.mutable_peer() = the_agent;
    return hear(address(internal::RUNTIME, "local"), back);
  }
  const outbox& exited(int wait_status, const std::string& container = "c-1") {
    internal::ContainerExited event;
    event.mutable_container_id()->set_value(container);
    event.set_status(wait_status);
    return hear(containerizer, event);
  }
  const outbox& kill(std::optional<std::chrono::nanoseconds> grace = {}) {
    executor_api::Event::Kill event;
    event.mutable_task_id()->set_value("t-1");
    if (grace) event.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(grace->count());
    return hear(the_agent, event);
  }
  const outbox& acknowledge(const v1::TaskStatus& status) {
    executor_api::Event::Acknowledged event;
    *event.mutable_task_id() = status.task_id();
    event.set_uuid(status.uuid());
    return hear(the_agent, event);
  }

  /// Up to the running command.
  void run(const v1::TaskInfo& info = command_task()) {
    subscribed();
    acknowledge(said<executor_api::Call::Update>(launch(info)).status());
    acknowledge(said<executor_api::Call::Update>(launched()).status());
  }
};

v1::TaskState reported(const outbox& out) {
  return said<executor_api::Call::Update>(out).status().state();
}

internal::SpawnExecutor with_killing_state() {
  auto request = spawn();
  request.mutable_framework()->add_capabilities()->set_type(v1::FrameworkInfo::Capability::TASK_KILLING_STATE);
  return request;
}

}  // namespace

TEST_CASE("an executor subscribes first, and again until it is answered") {
  fixture f;
  CHECK(said<executor_api::Call::Subscribe>(f.last()).unacknowledged_tasks().empty());
  CHECK(all_said<executor_api::Call::Subscribe>(f.pass(2s)).size() == 1);
  CHECK(all_said<executor_api::Call::Subscribe>(f.pass(2s)).size() == 1);
  f.subscribed();
  CHECK(f.pass(1h).empty());
}

TEST_CASE("a launch is reported as starting, and handed to the containerizer with all that the task needs") {
  fixture f;
  f.subscribed();
  auto info = command_task();
  auto* cpus = info.add_resources();
  cpus->set_name("cpus");
  cpus->set_type(v1::Value::SCALAR);
  cpus->mutable_scalar()->set_value(1);
  cpus->mutable_allocation_info()->set_role("web");
  (*info.mutable_limits())["mem"].set_value(64);
  info.mutable_container()->set_type(v1::ContainerInfo::MESOS);
  info.mutable_container()->mutable_rlimit_info()->add_rlimits()->set_type(v1::RLimitInfo::RLimit::RLMT_CORE);
  const auto& out = f.launch(info);
  CHECK(reported(out) == v1::TASK_STARTING);
  auto plan = said<internal::LaunchContainer>(out);
  CHECK(plan.container_id().value() == "c-1");
  CHECK(plan.command().value() == "sleep 1");
  CHECK(plan.sandbox() == "/work/sandbox");
  CHECK(plan.user() == "nobody");
  CHECK(plan.resources_size() == 1);
  CHECK(plan.limits().at("mem").value() == 64);
  CHECK(plan.rlimits().rlimits_size() == 1);
  std::map<std::string, std::string> environment;
  for (const auto& v : plan.environment().variables()) environment[v.name()] = v.value();
  CHECK(environment["TROUPE_TASK_ID"] == "t-1");
  CHECK(environment["MESOS_SANDBOX"] == "/work/sandbox");
  CHECK(environment["MESOS_ALLOCATION_ROLE"] == "web");
  CHECK(out.edits.empty());
}

TEST_CASE("a launch that comes twice changes nothing, not even after the task has ended") {
  fixture f;
  f.subscribed();
  f.launch();
  CHECK(f.launch().letters.empty());
  f.launched();
  f.exited(0);
  CHECK(f.launch().letters.empty());
}

TEST_CASE("a launch that was not answered is said again when the agent is back, and an answered one is not") {
  fixture f;
  f.subscribed();
  f.launch();
  CHECK(said<internal::LaunchContainer>(f.reconnect()).container_id().value() == "c-1");
  f.launched();
  CHECK_FALSE(is_said<internal::LaunchContainer>(f.reconnect()));
}

TEST_CASE("a kill goes along with a launch that is said again") {
  fixture f;
  f.subscribed();
  f.launch();
  f.kill(3s);
  const auto out = f.reconnect();
  CHECK(is_said<internal::LaunchContainer>(out));
  CHECK(said<internal::SignalContainer>(out).signal() == SIGTERM);
  f.kill(0s);
  CHECK(is_said<internal::DestroyContainer>(f.reconnect()));
}

TEST_CASE("a launched container makes the task running, once") {
  fixture f;
  f.subscribed();
  f.launch();
  CHECK(reported(f.launched()) == v1::TASK_RUNNING);
  CHECK(f.launched().letters.empty());
}

TEST_CASE("an exit ends the task, once") {
  fixture f;
  f.run();
  const auto& out = f.exited(7 << 8);
  auto status = said<executor_api::Call::Update>(out).status();
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK(status.exit_status() == 7 << 8);
  CHECK(status.source() == v1::TaskStatus::SOURCE_EXECUTOR);
  CHECK(status.executor_id().value() == "t-1");
  CHECK(status.uuid().size() == 16);
  CHECK(f.exited(0).letters.empty());
}

TEST_CASE("a container that cannot be launched fails its task with the containerizer's words") {
  fixture f;
  f.subscribed();
  f.launch();
  internal::ContainerLaunchFailed failed;
  failed.mutable_container_id()->set_value("c-1");
  failed.set_message("no user 'tina'");
  auto status = said<executor_api::Call::Update>(f.hear(containerizer, failed)).status();
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK(status.reason() == v1::TaskStatus::REASON_CONTAINER_LAUNCH_FAILED);
  CHECK(status.message().find("no user 'tina'") != std::string::npos);
}

TEST_CASE("updates are kept until they are acknowledged, and travel with the next subscription") {
  fixture f;
  f.subscribed();
  auto starting = said<executor_api::Call::Update>(f.launch()).status();
  auto running = said<executor_api::Call::Update>(f.launched()).status();
  f.acknowledge(starting);
  auto call = said<executor_api::Call::Subscribe>(f.reconnect());
  REQUIRE(call.unacknowledged_updates_size() == 1);
  CHECK(call.unacknowledged_updates(0).status().uuid() == running.uuid());
  REQUIRE(call.unacknowledged_tasks_size() == 1);
  CHECK(call.unacknowledged_tasks(0).task_id().value() == "t-1");
}

TEST_CASE("an update that nobody hears, because the executor is not subscribed, is not lost") {
  fixture f;
  f.run();
  internal::PeerDisconnected gone;
  *gone.mutable_peer() = the_agent;
  f.hear(address(internal::RUNTIME, "local"), gone);
  CHECK_FALSE(is_said<executor_api::Call::Update>(f.exited(0)));
  internal::PeerConnected back;
  *back.mutable_peer() = the_agent;
  auto call = said<executor_api::Call::Subscribe>(f.hear(address(internal::RUNTIME, "local"), back));
  REQUIRE(call.unacknowledged_updates_size() == 1);
  CHECK(call.unacknowledged_updates(0).status().state() == v1::TASK_FINISHED);
  CHECK(call.unacknowledged_tasks().empty());
}

TEST_CASE("an update between the subscription and its answer is sent after the answer") {
  fixture f;
  f.run();
  internal::PeerDisconnected gone;
  *gone.mutable_peer() = the_agent;
  f.hear(address(internal::RUNTIME, "local"), gone);
  internal::PeerConnected back;
  *back.mutable_peer() = the_agent;
  f.hear(address(internal::RUNTIME, "local"), back);
  CHECK_FALSE(is_said<executor_api::Call::Update>(f.exited(0)));
  CHECK(reported(f.hear(the_agent, executor_api::Event::Subscribed())) == v1::TASK_FINISHED);
}

TEST_CASE("once the last update is acknowledged, nothing of the task is left but that it ended") {
  fixture f;
  f.run();
  auto last = said<executor_api::Call::Update>(f.exited(0)).status();
  CHECK(f.core().save().unacknowledged_size() == 1);
  f.acknowledge(last);
  CHECK(f.core().save().unacknowledged().empty());
  CHECK(f.core().save().tasks().empty());
  CHECK(f.acknowledge(last).letters.empty());
  CHECK(f.store().empty());
}

TEST_CASE("a kill sends TERM, and destroys the container after the grace") {
  fixture f;
  f.run();
  const auto& out = f.kill();
  CHECK(said<internal::SignalContainer>(out).signal() == SIGTERM);
  CHECK_FALSE(is_said<executor_api::Call::Update>(out));
  CHECK(all_said<internal::DestroyContainer>(f.pass(2999ms)).empty());
  CHECK(all_said<internal::DestroyContainer>(f.pass(1ms)).size() == 1);
  CHECK(reported(f.exited(SIGKILL)) == v1::TASK_KILLED);
}

TEST_CASE("a destruction is asked for again until the container is reported gone") {
  fixture f;
  f.run();
  f.kill(0s);
  CHECK(said<internal::DestroyContainer>(f.last()).container_id().value() == "c-1");
  CHECK(all_said<internal::DestroyContainer>(f.pass(30s)).size() == 3);
  f.exited(SIGKILL);
  CHECK(f.pass(1h).empty());
}

TEST_CASE("TASK_KILLING is told only to frameworks that know it") {
  fixture f(with_killing_state());
  f.run();
  CHECK(reported(f.kill()) == v1::TASK_KILLING);
  CHECK_FALSE(is_said<executor_api::Call::Update>(f.kill(1s)));
}

TEST_CASE("the grace is the kill's, else the task's") {
  auto info = command_task();
  info.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(std::chrono::nanoseconds(10s).count());
  SECTION("the task's") {
    fixture f;
    f.run(info);
    f.kill();
    CHECK(all_said<internal::DestroyContainer>(f.pass(9999ms)).empty());
    CHECK(all_said<internal::DestroyContainer>(f.pass(1ms)).size() == 1);
  }
  SECTION("the kill's") {
    fixture f;
    f.run(info);
    f.kill(1s);
    CHECK(all_said<internal::DestroyContainer>(f.pass(1s)).size() == 1);
  }
}

TEST_CASE("a later kill shortens the grace, and never lengthens it") {
  fixture f;
  f.run();
  f.kill(10s);
  CHECK(f.kill(20s).letters.empty());
  f.pass(1s);
  CHECK_FALSE(is_said<internal::SignalContainer>(f.kill(2s)));
  CHECK(all_said<internal::DestroyContainer>(f.pass(2s)).size() == 1);
}

TEST_CASE("a grace from outside that is absurd neither overflows nor runs backwards") {
  fixture f;
  f.run();
  SECTION("endless") {
    f.kill(std::chrono::nanoseconds::max());
    CHECK(f.last().wake_at > f.now());
  }
  SECTION("negative") {
    CHECK(is_said<internal::DestroyContainer>(f.kill(-1s)));
  }
}

TEST_CASE("a kill of a task that is not there is ignored") {
  fixture f;
  f.subscribed();
  CHECK(f.kill().letters.empty());
}

TEST_CASE("a task killed while its container is being launched is killed, not failed, if the launch fails") {
  fixture f;
  f.subscribed();
  f.launch();
  f.kill();
  internal::ContainerLaunchFailed failed;
  failed.mutable_container_id()->set_value("c-1");
  CHECK(reported(f.hear(containerizer, failed)) == v1::TASK_KILLED);
}

TEST_CASE("a task that runs longer than it may is destroyed and has failed for that reason") {
  auto info = command_task();
  info.mutable_max_completion_time()->set_nanoseconds(std::chrono::nanoseconds(60s).count());
  fixture f;
  f.run(info);
  CHECK(all_said<internal::DestroyContainer>(f.pass(59s)).empty());
  CHECK(all_said<internal::DestroyContainer>(f.pass(1s)).size() == 1);
  auto status = said<executor_api::Call::Update>(f.exited(SIGKILL)).status();
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK(status.reason() == v1::TaskStatus::REASON_MAX_COMPLETION_TIME_REACHED);
}

TEST_CASE("the time that a task may run goes on over a restart of its executor") {
  auto info = command_task();
  info.mutable_max_completion_time()->set_nanoseconds(std::chrono::nanoseconds(60s).count());
  fixture f;
  f.run(info);
  f.pass(40s);
  f.recover();
  f.subscribed();
  f.launch(info);
  f.launched("c-1", 40s);
  CHECK(all_said<internal::DestroyContainer>(f.pass(19s)).empty());
  CHECK(all_said<internal::DestroyContainer>(f.pass(1s)).size() == 1);
}

TEST_CASE("a shutdown kills what runs, within the agent's patience") {
  auto info = command_task();
  info.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(std::chrono::nanoseconds(1h).count());
  fixture f;
  f.run(info);
  CHECK(said<internal::SignalContainer>(f.hear(the_agent, internal::ShutdownExecutor())).signal() == SIGTERM);
  CHECK(all_said<internal::DestroyContainer>(f.pass(4s)).size() == 1);
  CHECK(reported(f.exited(SIGKILL)) == v1::TASK_KILLED);
}

TEST_CASE("a task that arrives during a shutdown is killed before it starts") {
  fixture f;
  f.subscribed();
  f.hear(the_agent, internal::ShutdownExecutor());
  const auto& out = f.launch();
  CHECK(reported(out) == v1::TASK_KILLED);
  CHECK_FALSE(is_said<internal::LaunchContainer>(out));
}

TEST_CASE("after a restart it is told of its tasks again, and says again what it had said, under the same names") {
  fixture f;
  f.subscribed();
  auto starting = said<executor_api::Call::Update>(f.launch()).status();
  auto running = said<executor_api::Call::Update>(f.launched()).status();
  CHECK(starting.uuid() != running.uuid());
  f.recover();
  CHECK(said<executor_api::Call::Subscribe>(f.last()).unacknowledged_tasks().empty());
  CHECK_FALSE(is_said<internal::LaunchContainer>(f.last()));
  f.subscribed();
  const auto& again = f.launch();
  CHECK(said<internal::LaunchContainer>(again).container_id().value() == "c-1");  // answered as the first was
  CHECK(said<executor_api::Call::Update>(again).status().uuid() == starting.uuid());
  CHECK(said<executor_api::Call::Update>(f.launched()).status().uuid() == running.uuid());
}

TEST_CASE("after a restart a command of which nobody knows how it ended has failed") {
  fixture f;
  f.run();
  f.recover();
  f.subscribed();
  f.launch();
  internal::ContainerExited unknown;
  unknown.mutable_container_id()->set_value("c-1");
  auto status = said<executor_api::Call::Update>(f.hear(containerizer, unknown)).status();
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK_FALSE(status.has_exit_status());
}

TEST_CASE("a command that was reported as running is not started anew; of a container that nobody knows that is said") {
  auto request = spawn();
  request.set_resumes(true);
  fixture f(request);
  f.subscribed();
  CHECK(said<internal::LaunchContainer>(f.launch()).only_if_known());
  bool known = GENERATE(true, false);
  if (known) f.launched();
  internal::ContainerExited unknown;
  unknown.mutable_container_id()->set_value("c-1");
  auto status = said<executor_api::Call::Update>(f.hear(containerizer, unknown)).status();
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK((status.reason() == v1::TaskStatus::REASON_AGENT_RESTARTED) != known);
}

TEST_CASE("after a restart a kill under way is asked for again, and goes on") {
  fixture f;
  f.run();
  f.kill(5s);
  f.recover();
  f.subscribed();
  f.launch();
  CHECK(said<internal::SignalContainer>(f.kill(5s)).signal() == SIGTERM);
  f.launched();
  CHECK(all_said<internal::DestroyContainer>(f.pass(5s)).size() == 1);
  CHECK(reported(f.exited(SIGKILL)) == v1::TASK_KILLED);
}

TEST_CASE("a second task runs in a container and a sandbox of its own") {
  fixture f;
  f.run();
  auto plan = said<internal::LaunchContainer>(f.launch(command_task("t-2")));
  CHECK(plan.container_id().value() != "c-1");
  CHECK(plan.sandbox() == "/work/sandbox/tasks/t-2");
  f.launched(plan.container_id().value());
  auto end = said<executor_api::Call::Update>(f.exited(0, plan.container_id().value())).status();
  CHECK(end.task_id().value() == "t-2");
  CHECK(said<internal::ReleaseContainer>(f.acknowledge(end)).container_id().value() == plan.container_id().value());
}

TEST_CASE("a random life of an executor keeps its invariants, and its copies behave alike") {
  for (std::uint64_t seed = 1; seed <= test::seeds(40); ++seed) {
    CAPTURE(seed);
    random_stream random(seed);
    fixture f(with_killing_state());
    std::vector<v1::TaskStatus> sent;
    for (int i = 0; i < 120; ++i) {
      switch (random.below(10)) {
        case 0:
          f.subscribed();
          break;
        case 1:
          f.launch(command_task("t-" + std::to_string(1 + random.below(3))));
          break;
        case 2:
          f.launched();
          break;
        case 3:
          f.exited(static_cast<int>(random.below(3)) << 8);
          break;
        case 4:
          f.kill(std::chrono::seconds(random.below(5)));
          break;
        case 5:
          if (!sent.empty()) f.acknowledge(sent[random.below(sent.size())]);
          break;
        case 6:
          if (random.below(8) == 0) f.hear(the_agent, internal::ShutdownExecutor());
          break;
        case 7:
          f.pass(std::chrono::milliseconds(random.below(4000)));
          break;
        case 8:
          if (random.below(4) == 0) f.recover();
          break;
        case 9: {
          internal::ContainerLaunchFailed failed;
          failed.mutable_container_id()->set_value("c-1");
          if (random.below(6) == 0) f.hear(containerizer, failed);
          break;
        }
      }
      for (const auto& update : all_said<executor_api::Call::Update>(f.last())) sent.push_back(update.status());
    }
  }
}
