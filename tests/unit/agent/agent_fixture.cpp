#include "tests/unit/agent/agent_fixture.hpp"

namespace troupe::testing {

v1::FrameworkInfo framework_info(const std::string& id) {
  v1::FrameworkInfo info;
  info.set_user("nobody");
  info.set_name("a framework");
  info.mutable_id()->set_value(id);
  return info;
}

v1::TaskInfo command_task(const std::string& id) {
  v1::TaskInfo info;
  info.set_name("a task");
  info.mutable_task_id()->set_value(id);
  info.mutable_agent_id()->set_value("agent-1");
  auto* cpus = info.add_resources();
  cpus->set_name("cpus");
  cpus->set_type(v1::Value::SCALAR);
  cpus->mutable_scalar()->set_value(1);
  info.mutable_command()->set_value("sleep 1000 and more");
  return info;
}

v1::TaskInfo custom_task(const std::string& id, const std::string& executor) {
  auto info = command_task(id);
  info.clear_command();
  info.mutable_executor()->mutable_executor_id()->set_value(executor);
  info.mutable_executor()->mutable_command()->set_value("./executor");
  *info.mutable_executor()->add_resources() = info.resources(0);
  return info;
}

agent_options agent_fixture::default_options() {
  return with_boot_id("boot-1");
}

agent_options agent_fixture::with_boot_id(const std::string& boot_id) {
  agent_options options;
  options.info.set_hostname("host");
  options.version = "1";
  options.work_dir = "/work";
  options.boot_id = boot_id;
  options.executor_endpoint = "unix:/run/agent.sock";
  options.tls_authority = "/etc/troupe/ca.pem";
  options.address = "host:5051";
  return options;
}

agent_fixture::agent_fixture(agent_options options)
    : core_driver([=] { return agent(options); },
                  [=](const internal::AgentState& state) { return agent::load(state, options); }) {
  recover();
}

const outbox& agent_fixture::registered(std::uint64_t epoch, const std::string& id, const std::string& cluster) {
  internal::AgentRegistered message;
  message.mutable_agent_id()->set_value(id);
  message.set_cluster_id(cluster);
  message.set_epoch(epoch);
  message.set_total_ping_timeout_ms(75000);
  return hear(leader(), message, epoch);
}

const outbox& agent_fixture::ping(bool connected) {
  internal::Ping message;
  message.set_connected(connected);
  message.set_number(9);
  return hear(leader(), message);
}

const outbox& agent_fixture::run(const v1::TaskInfo& task, const std::string& framework) {
  internal::RunTask message;
  *message.mutable_framework() = framework_info(framework);
  *message.mutable_task() = task;
  return hear(leader(), message);
}

const outbox& agent_fixture::kill(const std::string& task, const std::string& framework) {
  internal::KillTask message;
  message.mutable_framework_id()->set_value(framework);
  message.mutable_task_id()->set_value(task);
  return hear(leader(), message);
}

const outbox& agent_fixture::acknowledge(const v1::TaskStatus& status, const std::string& framework) {
  internal::AcknowledgeStatus message;
  message.mutable_framework_id()->set_value(framework);
  *message.mutable_task_id() = status.task_id();
  message.set_uuid(status.uuid());
  return hear(leader(), message);
}

const outbox& agent_fixture::shutdown_framework(const std::string& framework) {
  internal::ShutdownFramework message;
  message.mutable_framework_id()->set_value(framework);
  return hear(leader(), message);
}

const outbox& agent_fixture::shutdown_executor(const std::string& executor) {
  internal::ShutdownExecutor message;
  message.mutable_framework_id()->set_value("f-1");
  message.mutable_executor_id()->set_value(executor);
  return hear(leader(), message);
}

const outbox& agent_fixture::subscribe(const std::string& container, const executor_api::Call::Subscribe& call) {
  return hear(address(internal::EXECUTOR, container), call);
}

const outbox& agent_fixture::update(const std::string& container, const v1::TaskStatus& status) {
  executor_api::Call::Update call;
  *call.mutable_status() = status;
  return hear(address(internal::EXECUTOR, container), call);
}

const outbox& agent_fixture::connected(const Address& peer) {
  internal::PeerConnected message;
  *message.mutable_peer() = peer;
  return hear(address(internal::RUNTIME, "local"), message);
}

const outbox& agent_fixture::disconnected(const Address& peer) {
  internal::PeerDisconnected message;
  *message.mutable_peer() = peer;
  return hear(address(internal::RUNTIME, "local"), message);
}

const outbox& agent_fixture::exited(const std::string& container, std::optional<int> status) {
  internal::ContainerExited message;
  message.mutable_container_id()->set_value(container);
  if (status) message.set_status(*status);
  return hear(containerizer_address, message);
}

const outbox& agent_fixture::launched(const std::string& container) {
  internal::ContainerLaunched message;
  message.mutable_container_id()->set_value(container);
  message.set_pid(77);
  message.set_start_time(1234);
  return hear(containerizer_address, message);
}

v1::TaskStatus agent_fixture::status(v1::TaskState state, const std::string& task) {
  v1::TaskStatus message;
  message.mutable_task_id()->set_value(task);
  message.set_state(state);
  message.set_source(v1::TaskStatus::SOURCE_EXECUTOR);
  message.set_uuid(uuids_.bytes16());
  return message;
}

std::string agent_fixture::start(const v1::TaskInfo& task, const std::string& framework) {
  run(task, framework);
  auto container = container_of(*this, framework);
  subscribe(container);
  return container;
}

internal::AgentView agent_fixture::view() const {
  return static_cast<const internal::AgentView&>(*core().look(""));
}

std::vector<std::string> agent_fixture::keys_under(const std::string& prefix) const {
  std::vector<std::string> found;
  for (auto it = store().lower_bound(prefix); it != store().end() && it->first.rfind(prefix, 0) == 0; ++it)
    found.push_back(it->first);
  return found;
}

std::string container_of(const agent_fixture& f, const std::string& framework) {
  auto view = f.view();
  for (const auto& shown : view.frameworks())
    if (shown.info().id().value() == framework) {
      REQUIRE(shown.executors_size() == 1);
      return shown.executors(0).container_id().value();
    }
  FAIL("the agent does not have framework " << framework);
  return {};
}

}  // namespace troupe::testing
