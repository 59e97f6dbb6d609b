#include "actors/agent/agent_options.hpp"

namespace troupe {

internal::AgentOptions options_message(const agent_options& options) {
  // All members by name: one that is added is missed here by the compiler.
  const auto& [info, reconfiguration, version, work_dir, boot_id, executor_endpoint, address, tls_authority,
               registration_backoff, registration_backoff_max, ping_timeout, executor_registration_timeout,
               executor_reregistration_timeout, executor_shutdown_grace, destroy_retry, farewell, status_retry,
               status_retry_max, completed_frameworks_max, completed_executors_max, completed_tasks_max] = options;
  internal::AgentOptions kept;
  *kept.mutable_info() = info;
  kept.set_reconfiguration(reconfiguration == reconfiguration_policy::equal ? "equal" : "additive");
  kept.set_version(version);
  kept.set_work_dir(work_dir);
  kept.set_boot_id(boot_id);
  kept.set_executor_endpoint(executor_endpoint);
  kept.set_address(address);
  kept.set_tls_authority(tls_authority);
  kept.set_registration_backoff_ns(registration_backoff.count());
  kept.set_registration_backoff_max_ns(registration_backoff_max.count());
  kept.set_ping_timeout_ns(ping_timeout.count());
  kept.set_executor_registration_timeout_ns(executor_registration_timeout.count());
  kept.set_executor_reregistration_timeout_ns(executor_reregistration_timeout.count());
  kept.set_executor_shutdown_grace_ns(executor_shutdown_grace.count());
  kept.set_destroy_retry_ns(destroy_retry.count());
  kept.set_farewell_ns(farewell.count());
  kept.set_status_retry_ns(status_retry.count());
  kept.set_status_retry_max_ns(status_retry_max.count());
  kept.set_completed_frameworks_max(completed_frameworks_max);
  kept.set_completed_executors_max(completed_executors_max);
  kept.set_completed_tasks_max(completed_tasks_max);
  return kept;
}

agent_options options_from(const internal::AgentOptions& kept) {
  using std::chrono::nanoseconds;
  agent_options options;
  options.info = kept.info();
  options.reconfiguration = reconfiguration_policy_of(kept.reconfiguration()).value_or(options.reconfiguration);
  options.version = kept.version();
  options.work_dir = kept.work_dir();
  options.boot_id = kept.boot_id();
  options.executor_endpoint = kept.executor_endpoint();
  options.address = kept.address();
  options.tls_authority = kept.tls_authority();
  options.registration_backoff = nanoseconds(kept.registration_backoff_ns());
  options.registration_backoff_max = nanoseconds(kept.registration_backoff_max_ns());
  options.ping_timeout = nanoseconds(kept.ping_timeout_ns());
  options.executor_registration_timeout = nanoseconds(kept.executor_registration_timeout_ns());
  options.executor_reregistration_timeout = nanoseconds(kept.executor_reregistration_timeout_ns());
  options.executor_shutdown_grace = nanoseconds(kept.executor_shutdown_grace_ns());
  options.destroy_retry = nanoseconds(kept.destroy_retry_ns());
  options.farewell = nanoseconds(kept.farewell_ns());
  options.status_retry = nanoseconds(kept.status_retry_ns());
  options.status_retry_max = nanoseconds(kept.status_retry_max_ns());
  options.completed_frameworks_max = kept.completed_frameworks_max();
  options.completed_executors_max = kept.completed_executors_max();
  options.completed_tasks_max = kept.completed_tasks_max();
  return options;
}

}  // namespace troupe
