#pragma once

#include "actors/agent/agent.hpp"

#include "tests/unit/core_driver.hpp"

#include <string>

namespace troupe::testing {

using namespace std::chrono_literals;

inline const Address containerizer_address = address(internal::CONTAINERIZER, "local");
inline const Address supervisor_address = address(internal::SUPERVISOR, "local");

v1::FrameworkInfo framework_info(const std::string& id = "f-1");
/// A task with a command.
v1::TaskInfo command_task(const std::string& id = "t-1");
/// A task of the custom executor "e-1".
v1::TaskInfo custom_task(const std::string& id = "t-1", const std::string& executor = "e-1");

/// An agent, with the master, executors and the containerizer played by the test.
struct agent_fixture : core_driver<agent> {
  explicit agent_fixture(agent_options options = default_options());

  static agent_options default_options();
  static agent_options with_boot_id(const std::string& boot_id);

  // --- the master says
  const outbox& registered(std::uint64_t epoch = 1, const std::string& id = "agent-1",
                           const std::string& cluster = "cl");
  const outbox& ping(bool connected = true);
  const outbox& run(const v1::TaskInfo& task, const std::string& framework = "f-1");
  const outbox& kill(const std::string& task, const std::string& framework = "f-1");
  const outbox& acknowledge(const v1::TaskStatus& status, const std::string& framework = "f-1");
  const outbox& shutdown_framework(const std::string& framework = "f-1");
  const outbox& shutdown_executor(const std::string& executor);

  // --- an executor says
  const outbox& subscribe(const std::string& container, const executor_api::Call::Subscribe& call = {});
  const outbox& update(const std::string& container, const v1::TaskStatus& status);

  // --- the runtime and the containerizer say
  const outbox& connected(const Address& peer);
  const outbox& disconnected(const Address& peer);
  const outbox& exited(const std::string& container, std::optional<int> status);
  const outbox& launched(const std::string& container);

  /// A fresh status of an executor.
  v1::TaskStatus status(v1::TaskState state, const std::string& task = "t-1");

  /// Takes the task, brings its executor up and hands it over; returns the container's id.
  std::string start(const v1::TaskInfo& task, const std::string& framework = "f-1");

  internal::AgentView view() const;
  /// Keys of the store below a path.
  std::vector<std::string> keys_under(const std::string& prefix) const;

 private:
  random_stream uuids_{7};
};

/// The container of the only executor that the agent shows for the framework; there must be one.
std::string container_of(const agent_fixture& f, const std::string& framework = "f-1");

}  // namespace troupe::testing
