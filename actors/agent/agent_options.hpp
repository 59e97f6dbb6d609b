#pragma once

#include "actors/agent/reconfiguration.hpp"
#include "troupe/internal/core_options.pb.h"
#include "troupe/v1/troupe.pb.h"

#include <chrono>
#include <cstddef>
#include <string>

namespace troupe {

/// What an agent is started with. Nothing here is remembered by the core but the info, which the master admits.
struct agent_options {
  v1::AgentInfo info;  ///< hostname, port, resources, attributes; without an id
  /// What may differ from the info that was recorded when the agent was admitted.
  reconfiguration_policy reconfiguration = reconfiguration_policy::additive;
  std::string version;            ///< of this program
  std::string work_dir;           ///< absolute; sandboxes lie below it
  std::string boot_id;            ///< of this boot of the machine
  std::string executor_endpoint;  ///< where custom executors find the agent: `unix:/run/.../agent.sock`
  std::string address;            ///< host:port of the agent, as Mesos's executors are told
  std::string tls_authority;      ///< PEM file that tells executors whom to trust over https; empty: they are not told

  std::chrono::nanoseconds registration_backoff = std::chrono::seconds(1);  ///< bound of the first random wait
  std::chrono::nanoseconds registration_backoff_max = std::chrono::minutes(1);
  std::chrono::nanoseconds ping_timeout = std::chrono::seconds(75);  ///< until a master names its own
  std::chrono::nanoseconds executor_registration_timeout = std::chrono::minutes(1);
  /// After a restart of the agent: until an executor that runs has subscribed again.
  std::chrono::nanoseconds executor_reregistration_timeout = std::chrono::seconds(2);
  std::chrono::nanoseconds executor_shutdown_grace = std::chrono::seconds(5);
  std::chrono::nanoseconds destroy_retry = std::chrono::seconds(10);
  /// A farewell is not answered: the process of an agent that leaves ends no sooner than this after it.
  std::chrono::nanoseconds farewell = std::chrono::seconds(1);
  std::chrono::nanoseconds status_retry = std::chrono::seconds(10);
  std::chrono::nanoseconds status_retry_max = std::chrono::minutes(10);

  // What has ended and is kept in memory, for people to look at.
  std::size_t completed_frameworks_max = 50;
  std::size_t completed_executors_max = 150;  ///< a framework
  std::size_t completed_tasks_max = 200;      ///< an executor
};

/// As recordings keep them.
internal::AgentOptions options_message(const agent_options& options);
agent_options options_from(const internal::AgentOptions& kept);

}  // namespace troupe
