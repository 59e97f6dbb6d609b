#pragma once

#include "tools/sim/cluster.hpp"
#include "tools/sim/workload.hpp"
#include "troupe/internal/agent_state.pb.h"
#include "troupe/internal/allocator_state.pb.h"
#include "troupe/internal/master_state.pb.h"

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
};

/// The invariants of a cluster, by their names in the documentation, watched from outside over all of its processes.
///
///     I1   every accepted task has exactly one fate, and its framework knows it
///     I2   after its end is acknowledged nothing of a task runs again
///     I3   a task runs at most once at a time, and is started once
///     I5   allocator, master and agents agree on who has what
///     I7   a task's end is never told differently; of what is acknowledged all has been delivered
///     I8   what runs is ended only when somebody has asked for that
///     I9   no framework is removed before it has been away for its failover timeout
///     I10  an agent follows no master of an epoch that is over
///     I14  what is to be killed ends
///     I15  when nothing goes wrong any more, everything that is due happens
///     I16  nothing is left of frameworks that have gone
///     I17  mailboxes stay short
///
/// Those that hold at every step are checked at every step and throw `broken`; those that hold once the cluster has
/// come to rest are complaints. Cores keep their own invariants besides ("core").
class checks final : public observer {
 public:
  explicit checks(cluster& world) : world_(world) {}

  /// A framework whose process runs this workload now.
  void watch(const std::string& process, const std::shared_ptr<workload>& logic) { workloads_[process] = logic; }

  void on_step(const actor& a, const mail& heard, const context& now, const outbox& out) override;
  void on_process_ended(const process& p, const std::string& why) override;
  void on_container_started(const host& h, const std::string& id, const container_label& label) override;
  void on_container_ended(const host& h, const std::string& id, const container_label& label, bool asked) override;

  /// What is not as it should be now.
  std::vector<complaint> complaints();
  /// What is left of frameworks that have all gone.
  std::vector<complaint> leftovers();

  std::uint64_t launches() const { return launches_; }
  std::uint64_t starts() const { return starts_; }
  /// All that it looks at.
  static const std::vector<std::string>& names();
  /// How often each invariant was looked at.
  std::map<std::string, std::uint64_t> looked_at() const {
    std::map<std::string, std::uint64_t> all;
    for (const auto& [name, times] : looks_) all[name] += times;
    return all;
  }

 private:
  struct task {
    bool launched = false;
    bool is_name_reused = false;  ///< then nobody can say which of its tasks is meant
    unsigned starts = 0;
    std::map<std::string, std::string> running;  ///< containers, with their hosts
    std::optional<v1::TaskState> end;            ///< as its agent told it
    bool end_acknowledged = false;
    std::optional<timeline::duration> kill_asked;
    std::set<std::string> heard;  ///< uuids of updates
    bool may_be_killed = false;   ///< a master has reason to
  };
  struct framework {
    std::string process;
    bool partition_aware = true;
    bool is_over = false;                          ///< it has left, or was removed
    std::optional<timeline::duration> away_since;  ///< as the leading master knows it
    double failover_timeout_s = 0;
  };

  task& find(const std::string& framework, const std::string& id) { return tasks_[framework + "/" + id]; }
  /// By the literal, which is one or a few for each invariant.
  void look(const char* invariant) { ++looks_[invariant]; }
  void on_framework_step(const actor& a, const mail& heard, const outbox& out);
  void on_told(const std::string& framework, const v1::TaskStatus& status);
  void on_master_step(const actor& a, const mail& heard, const outbox& out);
  void on_removed(const std::string& id, framework& f);
  void look_at_clocks();
  void look_at_mailboxes();
  void on_agent_step(const actor& a, const mail& heard, const outbox& out);
  void add_fates(std::vector<complaint>& found);
  void add_accounts(std::vector<complaint>& found);

  cluster& world_;
  std::map<std::string, std::shared_ptr<workload>> workloads_;
  std::map<std::string, v1::FrameworkInfo> described_;  // as each process has last described itself
  std::map<std::string, std::string> framework_ids_;    // by process
  std::map<std::string, framework> frameworks_;         // by id
  std::map<std::string, task> tasks_;
  /// Of masters: deadlines of frameworks are by these, and jump with them.
  std::optional<std::pair<std::chrono::nanoseconds, std::chrono::nanoseconds>> wall_offsets_;
  std::uint64_t launches_ = 0, starts_ = 0;
  std::unordered_map<const char*, std::uint64_t> looks_;
};

}  // namespace troupe::sim
