#include "actors/agent/agent_options.hpp"
#include "actors/allocator/allocator_options.hpp"
#include "actors/executor/executor_options.hpp"
#include "actors/master/master_options.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

// Recordings keep what cores were made with: what is kept makes the same options, whatever they are. That no member is
// forgotten on the way there, the compiler sees to.

namespace {

/// Every field of the message has another value than the options begin with, and comes back.
template <class Message>
void check_round_trip(Message kept) {
  const auto again = options_message(options_from(kept));
  CHECK(again.DebugString() == kept.DebugString());
}

}  // namespace

TEST_CASE("what a master is made with comes back from what is kept of it") {
  const auto usual = options_message(master_options());
  check_round_trip(usual);
  CHECK_FALSE(usual.has_offer_timeout_ns());
  internal::MasterOptions kept;
  kept.set_ping_interval_ns(1);
  kept.set_pings_missed_max(2);
  kept.set_agent_reregister_timeout_ns(3);
  kept.set_offer_timeout_ns(4);
  kept.set_kill_retry_first_ns(5);
  kept.set_kill_retry_max_ns(6);
  kept.set_completed_frameworks_max(7);
  kept.set_completed_tasks_max(8);
  kept.set_unreachable_tasks_max(9);
  kept.set_registry_gc_interval_ns(10);
  kept.set_registry_max_age_ns(11);
  kept.set_registry_max_count(12);
  kept.set_heartbeat_interval_ns(13'000'000'000);
  kept.set_scheme("https");
  kept.mutable_info()->set_id("m");
  check_round_trip(kept);
}

TEST_CASE("what an agent is made with comes back from what is kept of it") {
  check_round_trip(options_message(agent_options()));
  internal::AgentOptions kept;
  kept.mutable_info()->set_hostname("a");
  kept.set_reconfiguration("equal");
  kept.set_version("v");
  kept.set_work_dir("w");
  kept.set_boot_id("b");
  kept.set_executor_endpoint("e");
  kept.set_address("h:1");
  kept.set_tls_authority("t");
  kept.set_registration_backoff_ns(1);
  kept.set_registration_backoff_max_ns(2);
  kept.set_ping_timeout_ns(3);
  kept.set_executor_registration_timeout_ns(4);
  kept.set_executor_reregistration_timeout_ns(5);
  kept.set_executor_shutdown_grace_ns(6);
  kept.set_destroy_retry_ns(7);
  kept.set_farewell_ns(8);
  kept.set_status_retry_ns(9);
  kept.set_status_retry_max_ns(10);
  kept.set_completed_frameworks_max(11);
  kept.set_completed_executors_max(12);
  kept.set_completed_tasks_max(13);
  check_round_trip(kept);
}

TEST_CASE("what an executor is made with comes back from what is kept of it") {
  check_round_trip(options_message(executor_options()));
  internal::ExecutorOptions kept;
  kept.mutable_agent()->set_id("a");
  kept.mutable_spawn()->mutable_container_id()->set_value("c");
  kept.set_kill_grace_ns(1);
  kept.set_shutdown_margin_ns(2);
  kept.set_subscribe_retry_ns(3);
  kept.set_destroy_retry_ns(4);
  check_round_trip(kept);
}

TEST_CASE("what an allocator is made with comes back from what is kept of it") {
  const auto usual = options_message(allocator_options());
  CHECK(usual.minimum_size() == 2);
  CHECK(options_message(options_from(usual).value()).DebugString() == usual.DebugString());
  internal::AllocatorOptions kept;
  kept.set_allocation_interval_ns(1);
  auto* amount = kept.add_minimum()->add_amounts();
  amount->set_name("gpus");
  amount->set_thousandths(3);
  kept.set_hide_gpu_agents(false);
  CHECK(options_message(options_from(kept).value()).DebugString() == kept.DebugString());
  kept.set_policy("of somebody else");
  auto unknown = options_from(kept);
  REQUIRE_FALSE(unknown.has_value());
  CHECK_THAT(unknown.error().message, Catch::Matchers::Contains("of somebody else"));
}
