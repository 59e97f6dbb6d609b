#include "actors/master/master_options.hpp"

namespace troupe {

internal::MasterOptions options_message(const master_options& options) {
  // All members by name: one that is added is missed here by the compiler.
  const auto& [ping_interval, pings_missed_max, agent_reregister_timeout, offer_timeout, kill_retry_first,
               kill_retry_max, completed_frameworks_max, completed_tasks_max, unreachable_tasks_max,
               registry_gc_interval, registry_max_age, registry_max_count, heartbeat_interval, scheme, info] = options;
  internal::MasterOptions kept;
  kept.set_ping_interval_ns(ping_interval.count());
  kept.set_pings_missed_max(pings_missed_max);
  kept.set_agent_reregister_timeout_ns(agent_reregister_timeout.count());
  if (offer_timeout) kept.set_offer_timeout_ns(offer_timeout->count());
  kept.set_kill_retry_first_ns(kill_retry_first.count());
  kept.set_kill_retry_max_ns(kill_retry_max.count());
  kept.set_completed_frameworks_max(completed_frameworks_max);
  kept.set_completed_tasks_max(completed_tasks_max);
  kept.set_unreachable_tasks_max(unreachable_tasks_max);
  kept.set_registry_gc_interval_ns(registry_gc_interval.count());
  kept.set_registry_max_age_ns(registry_max_age.count());
  kept.set_registry_max_count(registry_max_count);
  kept.set_heartbeat_interval_ns(std::chrono::nanoseconds(heartbeat_interval).count());
  kept.set_scheme(scheme);
  *kept.mutable_info() = info;
  return kept;
}

master_options options_from(const internal::MasterOptions& kept) {
  using std::chrono::nanoseconds;
  master_options options;
  options.ping_interval = nanoseconds(kept.ping_interval_ns());
  options.pings_missed_max = kept.pings_missed_max();
  options.agent_reregister_timeout = nanoseconds(kept.agent_reregister_timeout_ns());
  if (kept.has_offer_timeout_ns()) options.offer_timeout = nanoseconds(kept.offer_timeout_ns());
  options.kill_retry_first = nanoseconds(kept.kill_retry_first_ns());
  options.kill_retry_max = nanoseconds(kept.kill_retry_max_ns());
  options.completed_frameworks_max = kept.completed_frameworks_max();
  options.completed_tasks_max = kept.completed_tasks_max();
  options.unreachable_tasks_max = kept.unreachable_tasks_max();
  options.registry_gc_interval = nanoseconds(kept.registry_gc_interval_ns());
  options.registry_max_age = nanoseconds(kept.registry_max_age_ns());
  options.registry_max_count = kept.registry_max_count();
  options.heartbeat_interval =
      std::chrono::duration_cast<std::chrono::seconds>(nanoseconds(kept.heartbeat_interval_ns()));
  options.scheme = kept.scheme();
  options.info = kept.info();
  return options;
}

}  // namespace troupe
