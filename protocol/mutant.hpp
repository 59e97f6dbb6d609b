#pragma once

#include <optional>
#include <string_view>

/// Historic bugs of systems like this one, re-created in our own cores, to measure a tester by: how many of them does
/// it find? docs/mutants.md says of each what it does, what it needs to show, and which promise it breaks.
///
/// A core asks `mutated(mutant::…)` where such a bug would sit. The answer is a constant `false`, and nothing of it is
/// left in the program, unless the build option TROUPE_MUTANTS is on (preset `mutants`); there a tester selects one.
namespace troupe {

// clang-format off
// X(name, the ticket and what goes wrong). "kin" where our cores do not have the ticket's own feature.
#define TROUPE_MUTANT_LIST(X)                                                                                                                \
  /* --- actors/master: reconciliation and updates */                                                                                        \
  X(lost_before_terminal, "MESOS-1389: a task is forgotten when its end is forwarded, so reconciliation says LOST before it is heard")       \
  X(recovered_agents_answered_for, "MESOS-6445, kin: a new master says UNKNOWN of tasks whose agents have not come back to it yet")          \
  X(unreachable_agents_forgotten, "MESOS-6445: a new master does not know which agents were unreachable, and says UNKNOWN of their tasks")   \
  X(reconciliation_overtakes_updates, "MESOS-1799: reconciliation tells of a state whose update has not been sent yet")                      \
  X(latest_state_ignored, "MESOS-1817: an ended task holds its resources until its earlier updates are acknowledged")                        \
  X(ended_task_called_unreachable, "MESOS-6482, kin: marking an agent unreachable overlooks that a task there has ended")                    \
  X(live_task_called_dropped, "MESOS-10018, kin: a second Accept is answered DROPPED for the task that the first one launched")              \
  /* --- actors/master: agents come, come back and are lost */                                                                               \
  X(agent_ids_repeat, "MESOS-3351: ids of agents begin anew at each failover, so that two agents share one")                                 \
  X(agent_admitted_twice, "MESOS-5396: an agent that asks again because its answer was lost is admitted as another one")                     \
  X(unlisted_tasks_not_questioned, "MESOS-1696: a task that the returning agent does not list is not asked after")                           \
  X(return_not_told, "MESOS-6406: the tasks of an agent that returns are not told to be back")                                               \
  X(returned_task_called_gone, "Nomad 15483: a task that returns with its agent is taken for one that did not")                              \
  X(absent_task_never_ends, "Nomad 19729: a task that does not return with its agent stays unreachable for ever")                            \
  X(first_return_ends_the_wait, "MESOS-6445, kin: once one agent is back, a new master waits for ever for the others")                       \
  X(offers_outlive_link, "MESOS-1418: offers of an agent whose link broke are not rescinded")                                                \
  /* --- actors/master: kills */                                                                                                             \
  X(kill_not_repeated, "MESOS-619: a kill that an agent missed is not said again when it registers again")                                   \
  X(kill_of_unreachable_forgotten, "Nomad 14925: what was asked of a task while its agent was away is not done when it is back")             \
  /* --- actors/master: frameworks */                                                                                                        \
  X(failover_timeout_forgotten, "MESOS-4659: a framework that was connected when a master ended is waited for without end")                  \
  X(failover_deadline_restarts, "MESOS-4659, kin: a framework's deadline to come back begins anew with each master")                         \
  X(failover_timer_runs_on, "MESOS-658: a framework that came back in time is removed when its time would have been over")                   \
  X(removed_framework_runs_on, "MESOS-633: an agent that returns is not told which of its frameworks were removed meanwhile")                \
  X(removal_forgotten, "MESOS-1219: a removed framework's id is valid again at the next master")                                             \
  X(failed_over_offers_kept, "MESOS-239: offers to a scheduler that was replaced by another stay with nobody")                               \
  /* --- actors/master: the ledger's other side */                                                                                           \
  X(executor_for_free, "MESOS-1718, kin: the executor that a launch brings is not taken out of the offer")                                   \
  X(executors_not_fed, "MESOS-2919, kin: an allocator that begins anew is not told what executors hold")                                     \
  X(rejected_offers_kept, "MESOS-1400: an Accept that names a void offer does not give back the valid ones beside it")                       \
  X(lost_executor_charged, "MESOS-673: an executor that its agent does not have is charged on after its last task")                          \
  /* --- actors/allocator */                                                                                                                 \
  X(every_minimum_needed, "MESOS-1688: no offers of an agent that has cpus left and no memory, or the reverse")                              \
  X(more_is_refused_too, "MESOS-83: a refusal also covers offers of more than what was refused")                                             \
  X(revive_keeps_refusals, "MESOS-3202, kin: REVIVE does not end refusals")                                                                  \
  X(revive_ends_all_refusals, "MESOS-9856: REVIVE of one role ends the refusals of all roles of the framework")                              \
  X(revives_all_roles, "MESOS-7430: REVIVE of one role revives all roles of the framework")                                                  \
  X(suppression_not_taken_over, "MESOS-8200: the suppressed roles of a subscription or an update are not honoured")                          \
  X(reconfiguration_revives, "MESOS-9124: an agent that comes back changed un-suppresses every framework")                                   \
  X(used_counted_twice, "MESOS-8604, kin: what runs on an agent that is added again is charged again")                                       \
  X(reservations_seen_by_all, "MESOS-9691, kin: one role is shown what is reserved for the role that was asked before it")                   \
  X(one_refusal_ends_the_role, "MESOS-9554: whoever is first in a role and cannot take an agent keeps all others from it")                   \
  X(grants_not_counted, "MESOS-1086: equal shares are ordered by name alone, and the last names starve")                                     \
  X(update_keeps_old_roles, "MESOS-9870, kin: a framework that comes back with other roles gets offers for its old ones")                    \
  X(refusals_outlive_role, "MESOS-9852, kin: what a framework refused in a role that it left is refused when it is in it again")             \
  /* --- actors/agent: updates */                                                                                                            \
  X(duplicate_acknowledgement_pops, "MESOS-640, kin: an acknowledgement that comes twice takes the next update with it")                     \
  X(stream_closed_early, "MESOS-482: once a task has ended, any acknowledgement closes its stream, its end unheard")                         \
  X(middle_update_lost, "Mesos sends the latest update alone: one that comes while two wait replaces the second")                            \
  X(update_sent_unrecorded, "Mesos without checkpoints: an update that can be sent at once is not recorded")                                 \
  X(acknowledged_update_returns, "MESOS-644, kin: an acknowledged update is sent again after a restart of the agent")                        \
  X(second_end_accepted, "MESOS-9887: a late end of a task replaces the one that was told already")                                          \
  /* --- actors/agent: tasks and executors */                                                                                                \
  X(killed_task_launched, "MESOS-609: a task that was killed in the queue is handed to its executor all the same")                           \
  X(executor_of_killed_task_lingers, "MESOS-5380: an executor whose queued tasks were all killed is never ended")                            \
  X(first_kill_blocks_others, "MESOS-8679: while one kill of an executor's tasks is stuck, all others are ignored")                          \
  X(lost_launch_not_repeated, "MESOS-2583: a launch that did not reach its executor is not said again, and the task stays in STAGING")       \
  X(queued_task_not_recovered, "MESOS-646: a restarted agent gives up the tasks that their executor had not been handed yet")                \
  /* --- actors/agent: who it is, and who its master is */                                                                                   \
  X(queued_tasks_not_reported, "MESOS-1715: an agent that registers again leaves out its queued tasks")                                      \
  X(ended_executor_reported, "MESOS-481: an agent that registers again lists executors that have ended")                                     \
  X(deposed_master_obeyed, "MESOS-858: launches and kills of a master that no longer leads are carried out")                                 \
  X(epoch_not_remembered, "MESOS-858, kin: a restarted agent does not know which masters are deposed")                                       \
  X(half_open_link_ignored, "MESOS-1668: an agent that hears that it is not connected does not register again")                              \
  X(identity_lost_at_reboot, "MESOS-6223: after a reboot an agent returns as another one")                                                   \
  /* --- actors/executor */                                                                                                                  \
  X(command_runs_twice, "MESOS-10018, kin: a command whose container was lost is started again after a restart of the agent")                \
  X(completion_clock_restarts, "MESOS-8877, kin: a restart of the agent starts a task's max_completion_time anew")                           \
  X(kill_lengthens_grace, "MESOS-8679, kin: a kill that is repeated puts off the end of the grace")                                          \
  X(killed_task_finishes, "MESOS-7975: a task that was killed and exits with 0 is called FINISHED")                                          \
  X(exit_status_missed, "MESOS-10007, kin: after a restart of the agent a command that succeeds is called FAILED")                           \
  /* --- frameworks/sdk: the executor's side */                                                                                              \
  X(updates_resent_backwards, "MESOS-637: an executor that subscribes again says its updates in another order")                              \
  X(unacknowledged_tasks_unsaid, "MESOS-5763, kin: an executor that subscribes again does not say which tasks it has")                       \
  X(executor_ends_unheard, "MESOS-9847: an executor ends before its last updates are acknowledged")                                          \
  X(launch_said_twice_runs_twice, "MESOS-10018, kin: an executor runs a task twice whose launch it hears twice")                             \
  /* --- frameworks/sdk: the scheduler's side */                                                                                             \
  X(framework_id_forgotten, "Chronos 520: a scheduler that starts again subscribes with an empty id")                                        \
  X(subscribes_without_asking, "Mesos leaves reconciliation to frameworks: a scheduler that is back asks nothing")                           \
  X(one_answer_ends_all_questions, "MESOS-2583, kin: questions about other tasks are given up when one is answered")
// clang-format on

enum class mutant {
  none,
#define TROUPE_MUTANT_ENUMERATOR(name, story) name,
  TROUPE_MUTANT_LIST(TROUPE_MUTANT_ENUMERATOR)
#undef TROUPE_MUTANT_ENUMERATOR
};

struct mutant_entry {
  mutant which;
  std::string_view name;
  std::string_view story;
};

/// All but `none`.
inline constexpr mutant_entry all_mutants[] = {
#define TROUPE_MUTANT_ENTRY(name, story) {mutant::name, #name, story},
    TROUPE_MUTANT_LIST(TROUPE_MUTANT_ENTRY)
#undef TROUPE_MUTANT_ENTRY
};

/// "none" for none.
constexpr std::string_view mutant_name(mutant which) {
  for (const auto& one : all_mutants)
    if (one.which == which) return one.name;
  return "none";
}

/// Absent if no mutant has the name; "none" is none.
constexpr std::optional<mutant> mutant_named(std::string_view name) {
  if (name == "none") return mutant::none;
  for (const auto& one : all_mutants)
    if (one.name == name) return one.which;
  return std::nullopt;
}

#ifdef TROUPE_MUTANTS
inline mutant selected_mutant = mutant::none;

/// For the whole process, before it starts any thread that steps a core.
inline void select_mutant(mutant which) {
  selected_mutant = which;
}

inline bool mutated(mutant which) {
  return selected_mutant == which;
}
#else
constexpr bool mutated(mutant) {
  return false;
}
#endif

}  // namespace troupe
