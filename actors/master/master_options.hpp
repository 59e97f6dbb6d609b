#pragma once

#include "troupe/internal/core_options.pb.h"
#include "troupe/v1/troupe.pb.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace troupe {

/// What an operator may set about a master; the defaults are those that users of such systems rely on.
struct master_options {
  /// Between two pings to an agent, and how long one may stay unanswered.
  std::chrono::nanoseconds ping_interval = std::chrono::seconds(15);
  /// So many unanswered pings in a row make an agent unreachable.
  unsigned pings_missed_max = 5;
  /// How long an agent may take to register again: after its link broke, and after the master recovered.
  std::chrono::nanoseconds agent_reregister_timeout = std::chrono::minutes(10);

  /// How long an offer stays open; absent means for ever.
  std::optional<std::chrono::nanoseconds> offer_timeout;

  /// A kill is repeated after the first wait, then after waits that double up to the longest, until the task has ended.
  std::chrono::nanoseconds kill_retry_first = std::chrono::seconds(10);
  std::chrono::nanoseconds kill_retry_max = std::chrono::minutes(1);

  /// What is kept in memory of what is over.
  std::size_t completed_frameworks_max = 50;
  std::size_t completed_tasks_max = 1000;    ///< per framework
  std::size_t unreachable_tasks_max = 1000;  ///< per framework; what falls out is answered with UNKNOWN

  /// How often the registry forgets unreachable and gone agents and removed frameworks, and which: those too old, and
  /// the oldest of too many.
  std::chrono::nanoseconds registry_gc_interval = std::chrono::minutes(15);
  std::chrono::nanoseconds registry_max_age = std::chrono::hours(24 * 14);
  std::size_t registry_max_count = 102400;

  /// Told to schedulers; only HTTP streams carry heartbeats, and their gateway sends them.
  std::chrono::seconds heartbeat_interval{15};

  /// http or https: how frameworks are told to read from agents, who serve as their master does.
  std::string scheme = "http";

  /// What frameworks are told about the master itself; its id is filled in by the master.
  v1::MasterInfo info;
};

/// As recordings keep them.
internal::MasterOptions options_message(const master_options& options);
master_options options_from(const internal::MasterOptions& kept);

}  // namespace troupe
