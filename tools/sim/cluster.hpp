#pragma once

#include "actors/agent/agent_options.hpp"
#include "actors/allocator/allocator_core.hpp"
#include "actors/master/master_options.hpp"
#include "frameworks/sdk/executor.hpp"
#include "frameworks/sdk/scheduler.hpp"
#include "storage/recording.hpp"
#include "tools/sim/chance.hpp"
#include "tools/sim/container_host.hpp"
#include "tools/sim/disk.hpp"
#include "tools/sim/machine.hpp"
#include "tools/sim/timeline.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

/// A cluster of production cores in one thread, on a simulated network, clocks, disks and containers. One seed decides
/// everything: the same calls to a world of the same seed give the same world, event for event.
///
///     cores (machine) ── outbox ──► commits on a disk ──► letters ──┬─► a mailbox of the same process
///                                                                   ├─► services: containers, supervisor, runtime
///                                                                   └─► links: ordered, delayed, cut
///
/// What the shells, the outbox runner, the link hub and the containerizer do for real is done here by the same rules.
namespace troupe::sim {

class cluster;
struct process;
struct connection;
class coordination_service;
class coordination_client;

/// Something that must not happen in any world: a core that contradicts itself, a letter that may not cross a link, an
/// invariant that does not hold. `name` is the invariant's.
struct broken : std::runtime_error {
  broken(std::string name, const std::string& what) : std::runtime_error(name + ": " + what), name(std::move(name)) {}
  std::string name;
};

/// Where processes run. Its clock began at another moment than the others', and may go wrong.
struct host {
  std::string name;
  std::int64_t drift_ppm = 0;               ///< how much faster its clocks go
  std::chrono::nanoseconds wall_offset{0};  ///< jumps change it
  int boots = 1;
  bool is_up = true;
  std::unique_ptr<container_host> containers;    ///< of an agent's machine; else null
  std::vector<std::weak_ptr<connection>> links;  ///< with an end here; some are over

  monotonic_time monotonic(timeline::duration now) const;
  wall_time wall(timeline::duration now) const;
  /// When its clock will show that.
  timeline::duration moment_of(monotonic_time at) const;
  std::string boot_id() const { return name + "-boot-" + std::to_string(boots); }
};

struct mail {
  Envelope head;
  std::shared_ptr<const google::protobuf::Message> body;
  bool is_repeated = false;  ///< it may have arrived before, over an earlier link
};

/// What was under way on a link that broke, and whom it was for.
struct unsure_letters {
  std::uint64_t life = 0;
  std::uint64_t hang_ups = 0;
  std::vector<mail> letters;
};

/// One core and its shell.
struct actor : std::enable_shared_from_this<actor> {
  Address at;
  std::uint64_t key = 0;  ///< of its address, for the hash
  process* home = nullptr;
  std::unique_ptr<machine> core;
  bool gone = false;
  std::uint64_t priority = 0;  ///< with priority scheduling: the lower the later
  std::deque<mail> mailbox;
  bool is_ready = false;                       ///< its next step is planned
  std::uint64_t incarnation = 0;               ///< 0: its process's
  std::uint64_t steps = 0;                     ///< counted where recordings are made
  std::shared_ptr<recording_writer> recorder;  ///< from its first step on; may be null
  /// Where its edits go; empty: to its process's disk.
  std::function<void(std::vector<edit>, disk::done)> commit;

  // the outbox runner
  struct held {
    bool durable = false;
    std::vector<letter> letters;
    std::optional<monotonic_time> wake_at;
    std::uint64_t cause = 0;
  };
  std::deque<std::shared_ptr<held>> pending;
  std::optional<monotonic_time> wish;
  std::optional<timeline::duration> armed;  ///< not after the wish
  std::uint64_t timer = 0;
  std::uint64_t sequence = 0;
};

/// A process of a host, by the name that the world gives it.
struct process {
  std::string name;
  Role role = internal::NOBODY;
  host* home = nullptr;
  Address at;
  std::string identity;                                       ///< its durable id
  std::function<void(process&)> boot;                         ///< makes its actors
  std::function<process*(process&)> server;                   ///< whom it dials; null: it only listens
  std::function<bool()> listens;                              ///< whether it lets others link to it; empty: always
  timeline::duration restart_after{std::chrono::seconds(1)};  ///< by its service manager; negative: never
  timeline::duration redial_max{std::chrono::seconds(5)};
  std::unique_ptr<disk> store;
  std::string container;                     ///< of a custom executor
  std::map<std::uint32_t, double> mutes;     ///< verbs that it seldom says: how often it does not
  std::map<std::uint32_t, double> stutters;  ///< verbs that it says twice, as clients do that try again: how often
  /// What a framework that talks for itself changes in what its SDK would say, and adds to it; may be empty.
  std::function<void(outbox&)> voice;
  std::string resources;  ///< of an agent, from its next start on

  bool alive = false;
  bool paused = false;
  std::uint64_t life = 0;
  std::uint64_t epoch_followed = 0;  ///< the highest of a master whom it has obeyed, in any life; for checks
  std::uint64_t incarnation = 0;
  std::map<Address, std::shared_ptr<actor>, address_less> actors;
  actor* main = nullptr;                 ///< the one that has the process's own address
  actor* find(const Address& to) const;  ///< null: there is none
  /// It has ended, and nobody starts it again.
  bool is_over() const { return !alive && restart_after.count() < 0; }
  std::shared_ptr<connection> up;                                     ///< of a dialler
  std::map<Address, std::shared_ptr<connection>, address_less> down;  ///< of a listener, by the far end's address
  unsigned dial_failures = 0;
  std::uint64_t hang_ups = 0;          ///< how often it ended all its links
  process* believed_leader = nullptr;  ///< of whoever looks for one among several masters
  timeline::duration uninformed_until{0};
  std::unique_ptr<coordination_client> coordination;  ///< of a master among several
  std::shared_ptr<journal_store> registry;            ///< while it leads
  std::optional<master_options> master;               ///< with which it leads
};

/// What others may want to know of every event; all at its moment.
class observer {
 public:
  virtual ~observer() = default;
  virtual void on_step(const actor&, const mail&, const context&, const outbox&) {}
  /// What it decided is durable, and this leaves.
  virtual void on_said(const actor&, const letter&) {}
  virtual void on_process_started(const process&) {}
  virtual void on_process_ended(const process&, const std::string& /*why*/) {}
  virtual void on_container_started(const host&, const std::string& /*id*/, const container_label&) {}
  virtual void on_container_ended(const host&, const std::string& /*id*/, const container_label&,
                                  const container_end&) {}
};

/// How letters travel and actors take turns.
struct network_habits {
  using duration = timeline::duration;
  duration delay{std::chrono::microseconds(200)};
  duration delay_max{std::chrono::seconds(5)};
  /// What was under way when a link broke is delivered first on the next one, though it may have arrived. Only whoever
  /// it was said to gets it: a master that leads again is another one.
  double repeats_at_reconnect = 0;
  duration silence{std::chrono::seconds(20)};
};

/// What happens at the next letter of some verb that is to cross a link. It hears of both ends before the letter is
/// under way, and says whether it ever is.
struct letter_trap {
  std::uint32_t verb = 0;
  std::function<bool(process& from, process& to)> spring;
};

struct cluster_options {
  std::uint64_t seed = 1;
  bool priorities = false;  ///< actors have priorities that change now and then (PCT), else all wait alike
  /// Every so many steps of an actor its core is asked for its invariants, and, one in `doubt_every`, whether a copy of
  /// its saved state behaves the same; 0: never.
  unsigned check_every = 1;
  unsigned doubt_every = 0;
  /// Agents keep what has ended for people to look at, as they do for real; 10,000 of them need a GB for that.
  bool keeps_completed = true;
  bool keeps_transcript = false;
  /// A folder for recordings of masters, allocators, agents and built-in executors; empty: none.
  std::string record_to;
  /// Gets each line of the transcript as it happens, instead.
  std::function<void(const std::string&)> tells;
};

class cluster {
 public:
  using duration = timeline::duration;

  explicit cluster(const cluster_options& options);
  ~cluster();

  // --- what there is. Processes are not started by being added.
  host& add_host(const std::string& name, bool runs_containers = false);
  process& add_process(const std::string& name, Role role, host& home);
  /// One that leads as long as it lives.
  process& add_lone_master(const master_options& options);
  /// Several, who elect one of them with the help of a coordination service, on a machine of that name.
  void add_masters(unsigned count, const master_options& options);
  process& add_agent(const std::string& name, const std::string& resources);
  using scheduler_maker = std::function<std::shared_ptr<sdk::scheduler>()>;
  process& add_framework(const std::string& name, scheduler_maker make);
  /// Of custom executors, by their id in the world; those of an empty id are for all others.
  void add_executor_kind(const std::string& executor, std::function<std::shared_ptr<sdk::executor>(process&)> make);
  void add_observer(observer& o) { observers_.push_back(&o); }

  // --- what happens to processes
  void start(process& p);
  /// Ends it; its service manager starts it again after `restart_after`.
  void end(process& p, const std::string& why);
  void pause(process& p);
  void resume(process& p);
  void reboot(host& h, duration down_for);
  void tell(process& p, const std::string& event, const std::string& data);
  /// Another process of a framework begins with what the first has remembered, as one that waited to take over.
  void inherit(process& heir, const process& from);
  /// It looks for a master, and is told of one that has been replaced; the truth comes some time later.
  void mislead(process& p, process& former, duration lasts);
  /// It hears nothing of who leads for so long.
  void keep_uninformed(process& p, duration lasts) { p.uninformed_until = time_.now() + lasts; }

  // --- the network between hosts
  void block(const host& from, const host& to);
  void unblock(const host& from, const host& to);
  void unblock_all();
  bool is_blocked(const host& from, const host& to) const { return blocked_.count({&from, &to}) != 0; }
  /// Both ends learn of it as of a broken connection.
  void break_link(process& dialler);
  /// One end does, at once; the other when it hears nothing any more.
  void half_break_link(process& dialler, bool near_end);
  void lay(letter_trap trap) { traps_.push_back(std::move(trap)); }
  void clear_traps() { traps_.clear(); }
  network_habits network;

  // --- what can be seen
  timeline& time() { return time_; }
  chance luck(std::string_view part) const { return luck_.part(part); }
  std::map<std::string, std::unique_ptr<process>>& processes() { return processes_; }
  std::map<std::string, std::unique_ptr<host>>& hosts() { return hosts_; }
  process& find(const std::string& name);
  /// The process that has this address now; null: nobody.
  process* find_at(const Address& at) const;
  std::shared_ptr<const google::protobuf::Message> look(const process& p, const Address& at) const;
  /// The master that leads now; null: nobody does.
  process* leading_master();
  coordination_service* coordination() { return coordination_.get(); }

  /// Lets time pass.
  void run_until(duration moment);
  void run_for(duration span) { run_until(time_.now() + span); }

  std::uint64_t steps() const { return steps_; }
  /// Of every step so far: where, when, what was heard, what was decided.
  std::uint64_t hash() const { return hash_; }
  std::uint64_t letters_lost() const { return letters_lost_; }
  std::size_t longest_mailbox() const { return longest_mailbox_; }
  std::uint64_t commits_failed() const { return commits_failed_; }
  const std::vector<std::string>& transcript() const { return transcript_; }
  void remark(const std::string& line);
  const cluster_options& options() const { return options_; }
  bool is_followed() const { return options_.keeps_transcript || options_.tells; }

  // --- for boot functions
  actor& add_actor(process& home, const Address& at, std::unique_ptr<machine> core, const std::string& prefix);
  void remove_actor(process& home, const Address& at);
  void notify(process& p, const Address& to, std::shared_ptr<const google::protobuf::Message> body,
              const Address& from = address(internal::RUNTIME, "local"));
  template <class Message>
  void notify(process& p, Message message) {
    notify(p, p.at, std::make_shared<const Message>(std::move(message)));
  }
  /// Drops all links of others to it, who dial anew.
  void hang_up(process& p, const std::string& why);

 private:
  // --- actors
  void push(actor& to, mail letter);
  void plan_step(actor& a);
  void step(const std::shared_ptr<actor>& a);
  void carry_out(const std::shared_ptr<actor>& a, outbox out, std::uint64_t event);
  void release(const std::shared_ptr<actor>& a);
  void send(actor& from, std::vector<letter>& letters, std::uint64_t cause);
  void arm(const std::shared_ptr<actor>& a);
  void on_timer(const std::shared_ptr<actor>& a);
  void note(const actor& a, const mail& heard, const outbox& out);
  void begin_recording(actor& a);
  duration turn_of(const actor& a);

  // --- links
  void dial(process& p, duration wait);
  void try_dial(process& p, std::uint64_t life);
  void establish(process& near, process& far);
  void over_link(process& from, const std::shared_ptr<connection>& over, mail letter);
  void travel(const std::shared_ptr<connection>& over, bool upwards, timeline::action arrive);
  void arrive(const std::shared_ptr<connection>& over, bool upwards);
  void forget_unsure(const process& from);
  bool is_cut(const connection& over, bool upwards) const;
  std::vector<std::shared_ptr<connection>> links_between(const host& a, const host& b) const;
  void end_of(std::shared_ptr<connection> c, bool near, const std::string& why, bool tells_peer);
  void hear_silence(const host& from, const host& to);
  duration delay_between(const process& a, const process& b);
  std::shared_ptr<connection> link_to(process& from, const Address& to) const;
  bool spring_trap(process& from, const connection& over, std::uint32_t verb);

  // --- services
  bool serve(actor& from, const Address& to, const std::shared_ptr<const google::protobuf::Message>& body);
  void on_runtime_told(process& p, const internal::ProgramEvent& event);
  void spawn_executor(process& agent, const internal::SpawnExecutor& spawn);
  void start_custom_executor(host& h, const std::string& id, const internal::LaunchContainer& plan);
  void set_address(process& p, const Address& at);
  void forget_address(const process& p);
  process* agent_of(const host& h);
  static std::string executor_process(const std::string& container) { return "executor " + container; }
  void start_leading(process& p, const internal::StartedLeading& lead);
  void stop_leading(process& p, const std::string& why);
  void spread_news_of(process& leading);
  void learn_leader(process& p, process& leading);
  std::function<process*(process&)> finds_leader();

  cluster_options options_;
  chance luck_;
  chance turns_, delays_, seeds_, dials_;
  timeline time_;
  std::map<std::string, std::unique_ptr<host>> hosts_;
  std::map<std::string, std::unique_ptr<process>> processes_;
  /// By the hash of an address, the few that share one beside each other; looked up, never visited.
  std::unordered_multimap<std::uint64_t, process*> by_address_;
  std::vector<process*> masters_;
  std::map<std::string, std::function<std::shared_ptr<sdk::executor>(process&)>> executor_kinds_;
  std::map<std::pair<const host*, const host*>, std::uint64_t> blocked_;  // and since which block
  std::uint64_t blocks_ = 0;
  std::map<std::string, unsure_letters> unsure_;  // by both ends' names
  std::vector<letter_trap> traps_;
  std::vector<observer*> observers_;
  std::unique_ptr<coordination_service> coordination_;
  std::uint64_t newest_epoch_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t hash_ = 14695981039346656037u;
  std::uint64_t letters_lost_ = 0;
  std::uint64_t commits_failed_ = 0;
  std::size_t longest_mailbox_ = 0;
  std::vector<std::string> transcript_;
};

}  // namespace troupe::sim
