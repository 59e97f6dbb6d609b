#pragma once

#include "tools/sim/allocation_checks.hpp"
#include "tools/sim/cluster.hpp"
#include "tools/sim/workload.hpp"
#include "troupe/internal/agent_state.pb.h"
#include "troupe/internal/allocator_state.pb.h"
#include "troupe/internal/master_state.pb.h"
#include "troupe/internal/registration.pb.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::sim {

/// Something that is not (yet) as it should be when nothing goes wrong any more.
struct complaint {
  std::string invariant;
  std::string what;
  std::string about;  ///< whom; the rest may change from one look to the next
};

/// The invariants of a cluster, by their names in the documentation, watched from outside over all of its processes.
///
///     I1   every accepted task has exactly one fate, and its framework knows it; nobody says of one that runs that it
///          does not
///     I2   after its end is acknowledged nothing of a task runs again; it is not handed to its executor after its end
///     I3   a task runs at most once at a time, and is started once
///     I4   (allocation_checks) offers are of what is free, and for whom it is; an agent's id is its own
///     I5   allocator, master and agents agree on who has what; an offer is settled once, and answered offers are
///     closed I6   (allocation_checks) who wants is offered, who does not is left alone I7   updates arrive in order,
///     none left out; an end is what happened, and is never told differently I8   what runs is ended only when somebody
///     has asked for that; a restart of the agent ends nothing I9   a framework is removed when it has been away for
///     its failover timeout, neither before nor long after, and
///          stays removed
///     I10  an agent follows no master of an epoch that is over
///     I12  what was acknowledged is not forgotten: agents and frameworks stay who they are, updates are recorded first
///     I14  what is to be killed ends, and is told so; limits are kept
///     I15  when nothing goes wrong any more, everything that is due happens; an agent that is heard is in the cluster,
///          a question is asked until it is answered
///     I16  nothing is left of frameworks that have gone
///     I17  mailboxes stay short
///
/// Those that hold at every step, or within a bound while nothing stands in the way, throw `broken`; those that hold
/// once the cluster has come to rest are complaints. Cores keep their own invariants besides ("core").
class checks final : public observer {
 public:
  explicit checks(cluster& world) : world_(world) {}

  /// A framework whose process runs this workload now.
  void watch(const std::string& process, const std::shared_ptr<workload>& logic) { workloads_[process] = logic; }
  /// A custom executor whose process runs this now.
  void watch(const std::string& process, const std::shared_ptr<timed_executor>& logic) { executors_[process] = logic; }
  /// Looks every few seconds at what must not last, until the world ends.
  void look_often();

  void on_step(const actor& a, const mail& heard, const context& now, const outbox& out) override;
  void on_said(const actor& a, const letter& said) override;
  void on_process_started(const process& p) override;
  void on_process_ended(const process& p, const std::string& why) override;
  void on_container_started(const host& h, const std::string& id, const container_label& label) override;
  void on_container_ended(const host& h, const std::string& id, const container_label& label,
                          const container_end& how) override;

  /// What is not as it should be now.
  std::vector<complaint> complaints();
  /// What is left of frameworks that have all gone.
  std::vector<complaint> leftovers();

  /// How far the masters' clocks were ever apart, their jumps included.
  timeline::duration clocks_apart() const;
  std::uint64_t launches() const { return launches_; }
  std::uint64_t starts() const { return starts_; }
  /// All that it looks at.
  static const std::vector<std::string>& names();
  /// How often each invariant was looked at.
  std::map<std::string, std::uint64_t> looked_at() const;

 private:
  using duration = timeline::duration;

  struct task {
    bool launched = false;
    bool is_name_reused = false;  ///< then nobody can say which of its tasks is meant
    bool is_deaf = false;         ///< it may take its time to be killed
    unsigned starts = 0;
    std::map<std::string, std::string> running;  ///< containers, with their hosts
    std::optional<v1::TaskState> end;            ///< as its agent told it
    bool end_acknowledged = false;
    std::uint64_t end_heard_in = 0;              ///< the framework's life
    std::optional<v1::TaskState> end_by_master;  ///< told to a partition-aware framework without an update
    std::optional<duration> kill_asked;
    bool may_be_killed = false;     ///< a master has reason to
    duration away_since_reign{-1};  ///< of the master that knows that its agent is away: since when it leads

    // its updates
    std::map<std::uint64_t, std::string> recorded;  ///< by the agent: uuids, by their numbers
    std::optional<v1::TaskState> recorded_end;
    std::vector<std::string> reported;  ///< by a custom executor, in order
    std::optional<duration> handed;     ///< to a custom executor
    std::set<std::string> heard;        ///< by the framework

    // its command
    std::optional<container_end> how;
    std::optional<duration> limit, started;
    std::chrono::nanoseconds clock{0};  ///< of its host, by the wall, when it was started
    bool hardly_ends = false;           ///< its container may
  };
  struct framework {
    std::string process;
    bool partition_aware = true;
    bool is_over = false;                ///< it has left, or was removed
    bool is_removed = false;             ///< for good: that is durable
    std::string removal_decided_by;      ///< the master
    std::optional<duration> away_since;  ///< as the leading master knows it
    std::optional<duration> return_by;   ///< else it is removed
    bool is_return_durable = false;
    double failover_timeout_s = 0;
  };
  /// Of an agent's process.
  struct agent_books {
    std::string id;
    std::uint64_t told_in_life = 0;                                        ///< its id
    int boots = 0;                                                         ///< of its machine, when it last recovered
    std::set<std::string> tasks;                                           ///< framework/task, that it has records of
    std::map<std::pair<std::string, std::string>, std::string> executors;  ///< custom ones' containers
    bool is_registered = false;                                            ///< with the leading master
    std::optional<duration> healthy_since, started;
  };
  struct report {
    std::string task, key;
  };
  /// Something that must not last.
  struct worry {
    std::string invariant, what;
    duration bound{0};
  };

  static std::string key_of(const std::string& framework, const std::string& task) { return framework + "/" + task; }
  task& find(const std::string& framework, const std::string& id) { return tasks_[key_of(framework, id)]; }
  /// By the literal, which is one or a few for each invariant.
  void look(const char* invariant) { ++looks_[invariant]; }
  bool is_over(const std::string& framework) const;

  // checks_frameworks.cpp
  void on_framework_step(const actor& a, const mail& heard, const outbox& out);
  void on_subscribed(const std::string& name, const std::string& id, const outbox& out);
  void on_launched(const std::string& framework, const v1::TaskInfo& info);
  void on_told(const std::string& framework, const v1::TaskStatus& status);
  void on_update_told(const std::string& framework, task& t, const v1::TaskStatus& status);
  void note_offers(const std::string& name, const mail& heard, const outbox& out);
  void note_questions(const std::string& name, const mail& heard, const outbox& out);

  // checks_masters.cpp
  void on_master_step(const actor& a, const mail& heard, const outbox& out);
  void on_master_recovered();
  void on_agent_admitted(const Address& to, const std::string& id);
  void on_kill_heard(const mail& heard, const v1::scheduler::Call::Kill& kill, const outbox& out);
  void on_told_by_master(const Address& to, const v1::TaskStatus& status);
  void on_removed(const std::string& id, framework& f);
  void look_for_return_of_the_removed(const std::string& id);
  void look_at_clocks();

  // checks_agents.cpp
  void on_agent_step(const actor& a, const mail& heard, const outbox& out);
  void look_at_epoch(const actor& a, const mail& heard, const outbox& out);
  void on_agent_record(const actor& a, const edit& e);
  void on_update_recorded(const actor& a, const std::string& framework, const std::string& id, std::uint64_t number,
                          const v1::TaskStatus& status);
  void look_at_end(const std::string& key, const task& t, const v1::TaskStatus& status);
  void look_at_report(const actor& a, const internal::ReregisterAgent& report);
  void look_at_recovery(const actor& a, const outbox& out);
  void look_at_arrival(const actor& a, const mail& heard, const outbox& out);
  void on_executor_step(const actor& a, const mail& heard, const outbox& out);
  /// Tasks that custom executors run now.
  std::map<std::string, std::string> run_by_executors() const;
  bool runs(const std::string& key) const;

  // checks_lasting.cpp
  void look_at_what_lasts();
  void look_at_health(std::map<std::string, worry>& found);
  void look_at_limits(std::map<std::string, worry>& found);
  void look_at_questions(std::map<std::string, worry>& found);
  void look_at_the_back(std::map<std::string, worry>& found);
  void look_at_absences(std::map<std::string, worry>& found);
  void look_at_books(std::map<std::string, worry>& found);
  void look_at_mailboxes();
  bool is_undisturbed(const process& p, const process& leading) const;

  // checks_rest.cpp
  void add_processes(std::vector<complaint>& found);
  void add_fates(std::vector<complaint>& found);
  void add_strays(std::vector<complaint>& found);
  void add_executors(std::vector<complaint>& found);
  void add_accounts(const internal::MasterView& view, const internal::AllocatorView& ledger,
                    std::vector<complaint>& found);
  void add_offers(const internal::MasterView& view, const internal::AllocatorView& ledger,
                  std::vector<complaint>& found);
  bool is_agent_over(const std::string& id) const;

  cluster& world_;
  std::map<std::string, std::shared_ptr<workload>> workloads_;
  std::map<std::string, std::shared_ptr<timed_executor>> executors_;
  std::map<std::string, v1::FrameworkInfo> described_;  // as each process has last described itself
  std::map<std::string, std::string> framework_ids_;    // by process
  std::map<std::string, std::string> durable_ids_;      // of those that they remember
  std::map<std::string, framework> frameworks_;         // by id
  std::map<std::string, agent_books> agents_;           // by process
  std::map<std::string, std::string> agent_processes_;  // by id
  std::map<std::string, task> tasks_;
  std::set<std::string> limited_;                                      // tasks with a limit that run
  std::map<std::string, std::set<std::string>> offers_held_;           // by framework's process
  std::map<std::string, std::map<std::string, duration>> questions_;   // by process: when each was last asked
  std::map<std::string, report> reports_;                              // of custom executors, by uuid
  std::set<std::string> recorded_;                                     // uuids of updates
  std::map<std::string, container_label> custom_;                      // executors' containers
  std::set<std::string> ended_executors_, fed_executors_, destroyed_;  // containers
  std::map<std::string, std::pair<duration, std::string>> lasting_;    // worries: since when
  duration next_look_at_books_{0};
  std::map<std::string, allocation_checks> allocators_;  // by process
  /// Of masters: deadlines of frameworks are by these, and jump with them.
  std::optional<std::pair<std::chrono::nanoseconds, std::chrono::nanoseconds>> wall_offsets_;
  duration leads_since_{0};
  std::uint64_t launches_ = 0, starts_ = 0;
  std::unordered_map<const char*, std::uint64_t> looks_;
};

}  // namespace troupe::sim
