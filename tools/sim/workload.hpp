#pragma once

#include "frameworks/sdk/executor.hpp"
#include "frameworks/sdk/scheduler.hpp"
#include "protocol/resources.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::sim {

/// What a built-in framework wants of the cluster.
struct workload_wish {
  std::string name;
  std::string role = "*";
  std::vector<std::string> roles;                                  ///< if it has several, instead
  std::string needs = "cpus:0.5;mem:128";                          ///< of each task
  unsigned services = 0;                                           ///< tasks that never end, always to be running
  std::uint64_t jobs = 0;                                          ///< short tasks in all
  std::chrono::nanoseconds between_jobs{std::chrono::seconds(2)};  ///< on average
  std::uint64_t jobs_at_once = 1;                                  ///< so many each time
  std::chrono::nanoseconds job_lasts{std::chrono::seconds(10)};    ///< on average
  unsigned services_end_after_s = 0;                               ///< 0: never by themselves
  unsigned kills_one_in = 0;                                       ///< of so many jobs one is killed while it runs
  std::chrono::nanoseconds hoards{0};                              ///< it sits on what it is offered and does not need
  bool declines_everything = false;
  std::chrono::nanoseconds refuse{std::chrono::seconds(5)};  ///< the filter on what it declines
  unsigned reuses_ids_one_in = 0;  ///< of so many jobs one gets the name of an earlier one that has ended
  bool custom_executor = false;    ///< its tasks run in one custom executor an agent
  bool suppresses = true;          ///< it says so when it wants nothing
  bool partition_aware = true;
  double failover_timeout_s = 3600;
  bool takes_gpus = false;

  // --- how it uses offers
  std::chrono::nanoseconds gathers{0};  ///< waits so long for more offers of an agent, and accepts them together
  /// Says itself what it suppresses when it subscribes, and updates what it is.
  bool speaks_for_itself = false;
  std::chrono::nanoseconds changes_roles{0};  ///< so often it leaves one of its roles or enters it again

  // --- what its tasks are
  unsigned ignores_term_one_in = 0;  ///< of so many jobs one ignores SIGTERM
  unsigned ends_well_one_in = 0;     ///< of so many jobs one exits with 0 at SIGTERM
  unsigned limited_one_in = 0;       ///< of so many jobs one runs until its max_completion_time ends it
  std::chrono::nanoseconds limit{std::chrono::minutes(2)};
  std::chrono::nanoseconds kill_grace{0};  ///< 0: none is said
  unsigned executors = 1;                  ///< kinds of custom executors an agent
  std::string executor_needs = "cpus:0.1;mem:32";
  std::chrono::nanoseconds starts_slowly{0};  ///< on average, before a custom executor reports that a task runs
  unsigned deaf_one_in = 0;  ///< of so many tasks of a custom executor one takes 20 minutes to be killed

  // --- how it deals with them
  unsigned kills_at_launch_one_in = 0;  ///< of so many jobs one is killed as soon as it is launched
  bool insists = true;                  ///< says a kill again and again; else once a subscription
  bool kills_unreachable = false;
  std::chrono::nanoseconds doubts{0};  ///< so often it asks after all its tasks by name; 0: never

  const std::vector<std::string> all_roles() const { return roles.empty() ? std::vector<std::string>{role} : roles; }
};

/// Launches tasks until it has what it wishes, remembers them, and asks after them when it returns. It tells what it
/// wants and how long that has waited, for whoever tries a cluster with it.
class workload final : public sdk::scheduler {
 public:
  explicit workload(workload_wish wish);

  v1::FrameworkInfo describe() const override;
  void on_subscribed(sdk::calls& call) override;
  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override;
  void on_rescinded(sdk::calls& call, const offer_id& offer) override;
  void on_status(sdk::calls& call, const v1::TaskStatus& status) override;
  void on_disconnected(sdk::calls& call) override;
  void on_timer(sdk::calls& call) override;
  void on_program_event(sdk::calls& call, const std::string& name, const std::string& data) override;
  void on_error(sdk::calls& call, const std::string& message) override;
  void remember(const std::string& key, std::string_view record) override;

  /// Tasks that are to be launched, each with the moment since when.
  struct waiting {
    char kind;  ///< S: service, J: job, K: job that is to be killed, W: one that is killed at once, L: limited one
    monotonic_time since;
    std::string role;
  };
  const std::deque<waiting>& wanted() const { return wanted_; }
  unsigned live(char kind) const;
  std::uint64_t jobs_begun() const { return jobs_begun_; }
  std::uint64_t finished() const { return finished_; }
  const std::vector<std::chrono::nanoseconds>& waits() const { return waits_; }
  const workload_wish& wish() const { return wish_; }
  /// That have not ended, as far as it knows, with the last that it heard of each.
  const std::map<std::string, v1::TaskStatus>& tasks() const { return live_; }
  /// Wants no more; an empty name of the framework says that it has left.
  bool is_leaving() const { return leaving_; }
  /// What a framework that speaks for itself changes in what the SDK says for it.
  void speak(outbox& out);

 private:
  void want_services(sdk::calls& call);
  void plan_job(sdk::calls& call);
  v1::TaskInfo task_for(sdk::calls& call, const waiting& wanted, const v1::Offer& offer, const resources& share);
  std::string command_for(char kind, const std::string& lasts) const;
  std::string role_for(std::uint64_t number) const;
  std::string executor_of(std::uint64_t number) const;
  bool wants_in(const std::string& role) const;
  /// Offers of one agent and role. False: none of them is used.
  bool use(sdk::calls& call, const std::vector<v1::Offer>& offers);
  void use_gathered(sdk::calls& call);
  void decline(sdk::calls& call, const std::vector<offer_id>& unused);
  void want_killed(sdk::calls& call, const std::string& id);
  void change_roles(sdk::calls& call);
  void ask_by_name(sdk::calls& call, bool all);
  std::string name_for(sdk::calls& call, char kind);
  void give_back(sdk::calls& call);
  void rest_or_ask(sdk::calls& call);
  void kill_due(sdk::calls& call);

  const workload_wish wish_;
  const resources needs_;
  std::map<std::string, v1::TaskStatus> live_;  // the last that was heard of each that has not ended
  unsigned services_live_ = 0;
  std::deque<waiting> wanted_;
  std::vector<std::string> ended_;  // names that may be used again
  std::map<std::string, std::pair<v1::Offer, monotonic_time>> hoard_;
  std::map<std::pair<std::string, std::string>, std::pair<std::vector<v1::Offer>, monotonic_time>> gathered_;
  std::map<std::string, monotonic_time> to_kill_;
  std::set<std::string> said_kills_;             // since it subscribed
  std::vector<std::string> roles_;               // that it is in
  std::map<std::string, bool> asks_;             // whether the master thinks that it wants something, by role
  std::set<std::string> said_to_be_suppressed_;  // by its last subscription
  std::optional<v1::scheduler::Call::UpdateFramework> update_;
  std::optional<monotonic_time> next_change_, next_doubt_;
  std::optional<monotonic_time> next_job_;
  std::uint64_t numbered_ = 0, jobs_begun_ = 0, finished_ = 0;
  std::vector<std::chrono::nanoseconds> waits_;
  bool leaving_ = false;
};

/// An executor whose tasks last as long as their data says, `SECONDS`; empty: for ever. Behind that may stand `starts
/// SECONDS`, for how long it takes until the task runs, and `deaf`. Whoever runs it wakes it up, with the event and the
/// task that it has asked for.
class timed_executor final : public sdk::executor {
 public:
  using wake_function =
      std::function<void(const std::string& event, const std::string& task, std::chrono::nanoseconds after)>;
  /// `stops_idle`: it ends itself with its last task.
  explicit timed_executor(wake_function wake, bool stops_idle = false)
      : wake_(std::move(wake)), stops_idle_(stops_idle) {}

  void on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) override;
  void on_recovered(sdk::executor_calls& call, const std::vector<v1::TaskInfo>& tasks) override;
  void on_kill(sdk::executor_calls& call, const task_id& task) override;
  void on_program_event(sdk::executor_calls& call, const std::string& name, const std::string& task) override;
  void on_shutdown(sdk::executor_calls& call) override;

  /// Tasks that have begun and not ended.
  const std::map<std::string, bool>& running() const { return running_; }
  /// Tasks that it was told to begin more than once.
  const std::set<std::string>& begun_twice() const { return begun_twice_; }

 private:
  void begin(const v1::TaskInfo& task);
  void rest(sdk::executor_calls& call) const;

  wake_function wake_;
  const bool stops_idle_;
  std::map<std::string, bool> running_;  // and whether it is deaf
  std::set<std::string> begun_, begun_twice_;
};

}  // namespace troupe::sim
