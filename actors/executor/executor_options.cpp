#include "actors/executor/executor_options.hpp"

namespace troupe {

internal::ExecutorOptions options_message(const executor_options& options) {
  // All members by name: one that is added is missed here by the compiler.
  const auto& [agent, spawn, kill_grace, shutdown_margin, subscribe_retry, destroy_retry] = options;
  internal::ExecutorOptions kept;
  *kept.mutable_agent() = agent;
  *kept.mutable_spawn() = spawn;
  kept.set_kill_grace_ns(kill_grace.count());
  kept.set_shutdown_margin_ns(shutdown_margin.count());
  kept.set_subscribe_retry_ns(subscribe_retry.count());
  kept.set_destroy_retry_ns(destroy_retry.count());
  return kept;
}

executor_options options_from(const internal::ExecutorOptions& kept) {
  using std::chrono::nanoseconds;
  executor_options options;
  options.agent = kept.agent();
  options.spawn = kept.spawn();
  options.kill_grace = nanoseconds(kept.kill_grace_ns());
  options.shutdown_margin = nanoseconds(kept.shutdown_margin_ns());
  options.subscribe_retry = nanoseconds(kept.subscribe_retry_ns());
  options.destroy_retry = nanoseconds(kept.destroy_retry_ns());
  return options;
}

}  // namespace troupe
