#pragma once

#include "tools/sim/checks.hpp"
#include "tools/sim/cluster.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace troupe::sim {

/// What one framework got of the cluster.
struct framework_figures {
  std::string name;
  std::uint64_t placed = 0;                                      ///< launches that left it
  std::uint64_t finished = 0, failed = 0, killed = 0, lost = 0;  ///< as it was told, once a task
  std::uint64_t offers = 0;
  std::uint64_t restarts = 0;
  std::optional<int> exit_code;                  ///< of a program that ended itself
  std::string refused;                           ///< what the master said when it refused the framework
  std::vector<std::chrono::nanoseconds> waits;   ///< from its asking for offers to its next launch
  std::vector<std::chrono::nanoseconds> starts;  ///< from a launch to the news that the task runs
  double dominant_share = 0;                     ///< mean over the trial, of what containers used
};

/// Counts what happens in a trial, from outside, and holds frameworks to what is theirs to do:
///
///     F1   it asks after each task of whose end it has not heard, once it is subscribed again
///     F2   it uses a task id once
///     F3   it does not end itself with an error
///
/// F2 and F3 throw `broken`; F1 shows once the cluster has come to rest.
class figures final : public observer {
 public:
  explicit figures(cluster& world) : world_(world) {}

  void add_agent(std::int64_t cpus_milli, std::int64_t mem_milli);
  void add_framework(const std::string& process) { by_process_[process].all.name = process; }

  void on_step(const actor& a, const mail& heard, const context& now, const outbox& out) override;
  void on_said(const actor& a, const letter& said) override;
  void on_process_started(const process& p) override;
  void on_process_ended(const process& p, const std::string& why) override;
  void on_container_started(const host& h, const std::string& id, const container_label& label) override;
  void on_container_ended(const host& h, const std::string& id, const container_label& label,
                          const container_end& how) override;

  /// What frameworks do not know of their tasks, or have not asked.
  std::vector<complaint> fates() const;

  std::vector<framework_figures> frameworks();
  std::uint64_t running() const { return running_; }
  std::uint64_t running_max() const { return running_max_; }
  /// Mean over the trial so far of what containers used, of all there is.
  double cpus_used();
  double mem_used();

 private:
  struct amounts {
    std::int64_t cpus = 0, mem = 0;
  };
  /// An amount that changes now and then, and its sum over time.
  struct integral {
    double value = 0, sum = 0;
    timeline::duration since{0};
    void add(double more, timeline::duration now) {
      settle(now);
      value += more;
    }
    void settle(timeline::duration now) {
      sum += value * std::chrono::duration<double>(now - since).count();
      since = now;
    }
  };
  struct framework {
    framework_figures all;
    std::string id;
    std::unordered_set<std::uint64_t> used_ids;  // hashes
    amounts used;
    integral share;
    std::optional<timeline::duration> asked_since;  // for offers
    std::uint64_t subscription = 0;
    std::optional<timeline::duration> subscribed_since;
  };
  struct task {
    framework* of = nullptr;
    amounts needs;
    timeline::duration launched{0};
    int heard = -1;  // a v1::TaskState; -1: nothing
    bool runs = false, ended = false, is_custom = false;
    std::uint64_t launched_in = 0, asked_in = 0;  // which subscription
  };

  void on_launch(framework& f, const v1::TaskInfo& info);
  void on_told(framework& f, const v1::TaskStatus& status);
  void use(framework& f, const amounts& more, int sign);
  task* find(const std::string& framework, const std::string& id);
  void forget_if_over(const std::string& framework, const std::string& id);

  cluster& world_;
  amounts total_;
  integral cpus_, mem_;
  std::map<std::string, framework> by_process_;
  std::unordered_map<std::string, framework*> by_id_;
  std::unordered_map<std::string, task> tasks_;         // by framework/task, until all of it is over
  std::unordered_map<std::string, amounts> executors_;  // by framework/executor
  std::uint64_t running_ = 0, running_max_ = 0;
};

}  // namespace troupe::sim
