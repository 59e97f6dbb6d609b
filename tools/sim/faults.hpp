#pragma once

#include "tools/sim/cluster.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::sim {

/// What can go wrong, each by the name that it has in plans and stories.
enum class fault_kind {
  kill_master,
  kill_agent,
  kill_framework,
  kill_executor,  ///< a custom one, within its container, which starts it again
  pause,          ///< a process stands still for a while
  reboot,         ///< an agent's machine
  cut,            ///< the paths between two machines, both ways
  cut_one_way,
  cut_off,  ///< one machine from all others
  flap,     ///< cut and whole again, several times
  slow_network,
  break_links,  ///< of every agent and framework at once: all register again
  slow_disk,
  full_disk,
  failing_disk,
  clock_jump,
  bad_containers,  ///< they start slowly or not at all, are killed, or hardly end
  end_container,   ///< one that runs
  expire_session,  ///< of a master with the coordination service
  lost_answers,    ///< of the coordination service, now and then
  partition,       ///< an agent is cut off from all masters, for longer than they wait for it
  long_absence,    ///< of a framework, which is killed and comes back late
  at_letter,       ///< at the next letter of some kind: it is lost with its link, or one end of it crashes
  one_sided,       ///< a link ends at one end, and the other does not hear of it for a while
  hanging_disk,    ///< nothing becomes durable for minutes
  lost_container,  ///< one that runs is gone without a trace, and its agent with it
  two_leaders,     ///< a master is replaced and does not know it yet, and some hear late news of who leads
};
constexpr int fault_kinds = static_cast<int>(fault_kind::two_leaders) + 1;
/// What a framework is tried with are the first of them: others aim at moments that only we care about.
constexpr int fault_kinds_of_trials = static_cast<int>(fault_kind::lost_answers) + 1;
const char* name_of(fault_kind kind);

/// One thing that goes wrong at one moment, and is right again `lasts` later.
struct fault {
  timeline::duration at{0};
  fault_kind kind{};
  std::string target;  ///< a process or machine
  std::string other;   ///< the other machine of a path
  timeline::duration lasts{0};
  std::uint64_t luck = 0;

  std::string text() const;
};

enum class fault_level { none, mild, harsh };

/// What goes wrong between two moments, drawn from the seed alone: each seed has kinds of its own, and some of them
/// often.
std::vector<fault> plan_faults(const cluster& world, const std::map<std::string, Role>& processes, fault_level level,
                               timeline::duration from, timeline::duration to, int kinds = fault_kinds);

/// Makes planned faults happen, and makes all right again in the end.
class fault_player {
 public:
  explicit fault_player(cluster& world) : world_(world) {}

  void plan(const std::vector<fault>& all);
  /// Whatever is still wrong is right from now on.
  void heal();

  std::size_t happened() const { return happened_; }
  const std::map<fault_kind, std::size_t>& by_kind() const { return by_kind_; }
  /// Hosts whose containers or machines have been meddled with.
  const std::vector<fault>& story() const { return story_; }

 private:
  bool begin(const fault& f);
  void lay_trap(const fault& f, chance luck);
  bool make_two_leaders(const fault& f, process* leading, chance luck);
  void crash(process& p, timeline::duration away);
  void cut(const std::string& a, const std::string& b, bool both, timeline::duration lasts);
  void after(timeline::duration wait, timeline::action what);

  cluster& world_;
  std::uint64_t era_ = 0;  // what was planned before a healing does not come back
  std::size_t happened_ = 0;
  std::map<fault_kind, std::size_t> by_kind_;
  std::vector<fault> story_;
};

}  // namespace troupe::sim
