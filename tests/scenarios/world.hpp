#pragma once

#include "actors/allocator/allocator_core.hpp"
#include "actors/master/master_options.hpp"
#include "actors/runtime/step.hpp"
#include "storage/memory_store.hpp"
#include "tests/scenarios/containers.hpp"
#include "tests/scenarios/network.hpp"
#include "tools/sim/machine.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::testing {

using sim::machine;

/// Something that must not happen in any world, whatever a scenario does: a core that contradicts itself, an invariant
/// that does not hold, a letter that may not cross a link.
struct world_error : std::logic_error {
  using std::logic_error::logic_error;
};

/// A letter from another process, as it arrived.
struct heard_letter {
  std::string from;
  std::uint32_t verb = 0;
  std::shared_ptr<const google::protobuf::Message> body;
};

/// A cluster of production cores in one thread: a master with its allocator, agents with their built-in executors,
/// schedulers, custom executors, operators; a store for each process, links between them, and one clock that stands
/// still until it is told to move. Nothing in it is left to chance: the same calls give the same world.
///
/// What a step commits is in the store before its letters travel; a process whose store fails ends. A crash takes
/// everything but the store, and the containers, which are other processes; a start folds the records back in, raises
/// the incarnation and says Recovered. Two processes that are alive are linked, unless the scenario has cut the link;
/// both hear of links that come and go.
class world {
 public:
  /// `doubts`: whether every step of its cores is doubted (machine.hpp).
  explicit world(std::uint64_t seed = 1, bool doubts = true);

  // --- processes, by the names that the scenario gives them
  /// Named "master".
  void add_master(const master_options& options);
  void add_agent(const std::string& name, const std::string& resources);
  /// `as`: a process whose store, and so whose framework id, this one starts with; empty for its own.
  void add_framework(const std::string& name, v1::FrameworkInfo info, const std::string& as = {});
  /// Around a core that the caller makes, afresh at each start.
  void add_framework(const std::string& name, std::function<std::unique_ptr<machine>()> make);
  void add_operator(const std::string& name);
  /// Opened each time that the process starts, and closed when it ends; null: it cannot be, and the process ends.
  using store_opener = std::function<std::unique_ptr<journal_store>()>;
  /// Where a process keeps its records; without one in a memory that outlives it. Before it starts.
  void keep_records(const std::string& name, store_opener open) { openers_[name] = std::move(open); }
  /// The process ends when it has said so many letters from now on, in the middle of a step if need be.
  void end_after_letters(const std::string& name, std::size_t letters) { doom_ = {name, letters}; }
  /// What a process has said still arrives after its end, as it does when it was in the kernel's hands already; else it
  /// is lost with the link.
  void deliver_last_words() { last_words_ = true; }
  std::size_t letters_said(const std::string& name) const { return find(name).letters_said; }
  void start(const std::string& name);
  /// What an agent offers from its next start on.
  void set_resources(const std::string& agent, const std::string& resources);
  void crash(const std::string& name);
  /// The machine of an agent: its containers are gone too, and it has another boot id.
  void reboot(const std::string& agent);
  /// Empties a store: the next start is a first one.
  void wipe(const std::string& name);
  /// A container of the machine is gone, and nobody can say any more what became of it.
  void lose(const std::string& agent, const std::string& label);
  bool has(const std::string& name) const { return processes_.count(name) != 0; }
  bool alive(const std::string& name) const { return find(name).alive; }

  // --- links. A process of a name that is not there yet starts without its link.
  void cut(const std::string& name);
  void heal(const std::string& name);
  network& net() { return net_; }
  const std::set<std::pair<std::uint32_t, mishap>>& happened() const { return net_.happened(); }
  std::vector<std::string> unused_rules() const { return net_.unused(); }
  /// Is there any rule or cut link now?
  bool meddled() const { return !cut_.empty() || net_.meddles(); }
  void release(const letter_pattern& what);

  // --- what happens
  /// The program around a scheduler or custom executor tells it something.
  void tell(const std::string& name, const std::string& event, const std::string& data);
  /// A letter that no core has decided to send.
  void say(const std::string& from, const std::string& to, const google::protobuf::Message& body);
  /// A container's first process ends by itself, with a wait(2) status.
  void end_container(const std::string& label, int status);
  /// A container that does not end when it is asked to.
  void make_stubborn(const std::string& label) { stubborn_.insert(label); }
  /// Delivers everything that is under way, and fires the timers that are due.
  void settle();
  /// Lets time pass; every timer fires when it is due.
  void pass(std::chrono::nanoseconds time);

  // --- what can be seen
  const std::vector<heard_letter>& heard(const std::string& name) const { return find(name).heard; }
  /// The view of a process's main core, and of the allocator ("allocator").
  std::shared_ptr<const google::protobuf::Message> look(const std::string& name) const;
  bool runs(const std::string& agent, const std::string& label) const;
  int starts_of(const std::string& agent, const std::string& label) const { return find(agent).held.starts_of(label); }
  /// Containers that have ended and that their agent has not released.
  std::size_t kept_ends(const std::string& agent) const { return find(agent).held.kept(); }
  /// The durable id that the cluster gave to the process; empty if it has none.
  std::string id_of(const std::string& name) const;
  /// Of an executor, the agent that it is on; else the master.
  std::string server_of(const std::string& name) const { return find(name).server; }
  Role role_of(const std::string& name) const { return find(name).at.role(); }
  /// All that was said, decided and done, line by line.
  const std::vector<std::string>& transcript() const { return transcript_; }
  void remark(const std::string& line);

 private:
  struct actor {
    std::unique_ptr<machine> core;
    std::optional<monotonic_time> wake_at;
    std::uint64_t sequence = 0;
  };
  struct process {
    Address at;
    std::string server;  // whom it links to; empty for the master
    std::string identity;
    std::function<void(process&)> boot;  // makes its actors
    bool alive = false;
    std::uint64_t incarnation = 0;
    std::uint64_t link = 0;  // 0: down
    std::shared_ptr<journal_store> store = std::make_shared<memory_store>();
    std::size_t letters_said = 0;
    std::map<Address, actor, address_less> actors;
    containers held;  // of an agent's machine
    std::string boot_id;
    google::protobuf::RepeatedPtrField<v1::Resource> resources;  // of an agent
    std::vector<heard_letter> heard;
  };
  struct local_letter {
    std::string where;
    Envelope head;
    std::shared_ptr<const google::protobuf::Message> body;
  };
  /// Either a letter within a process or one over a link, in one queue.
  struct pending {
    std::optional<crossing> far;
    local_letter near;
  };

  const process& find(const std::string& name) const;
  process& find(const std::string& name);
  std::string name_at(const Address& at) const;

  void connect(const std::string& name);
  void disconnect(const std::string& name, const std::string& reason);
  std::vector<std::string> clients_of(const std::string& name) const;

  bool open_store(const std::string& name, process& p);
  bool commit(const std::string& name, const std::vector<edit>& edits);
  scan_result records(const process& home, std::string_view prefix) const;
  void add_actor(process& home, const Address& at, std::unique_ptr<machine> core, const std::string& prefix);
  void step(const std::string& where, const Address& at, const Envelope& head, const google::protobuf::Message& body);
  void carry_out(const std::string& where, const Address& at, outbox out);
  void route(const std::string& where, const Envelope& head, std::shared_ptr<const google::protobuf::Message> body);
  void over_link(const std::string& from, const std::string& to, const Envelope& head,
                 std::shared_ptr<const google::protobuf::Message> body);
  void travel(std::vector<crossing> letters);
  void arrive(crossing letter);
  void arrive(local_letter letter);
  bool serve_locally(const std::string& where, const Envelope& head, const google::protobuf::Message& body);
  void on_runtime_told(const std::string& where, const internal::ProgramEvent& event);
  void on_container_event(const std::string& agent, containers::event happened);
  void spawn_executor(const std::string& agent, const internal::SpawnExecutor& spawn);
  void start_custom_executor(const std::string& agent, const internal::LaunchContainer& plan);
  template <class Message>
  void notify(const std::string& name, Message message);
  void near(const std::string& where, const Address& from, const Address& to,
            std::shared_ptr<const google::protobuf::Message> body);
  void learn_id(const std::string& name);
  bool fire_one(monotonic_time until);
  std::string readable(std::string text) const;

  random_stream random_;
  const bool doubts_;
  monotonic_time now_{std::chrono::hours(1)};
  std::uint64_t steps_ = 0;
  std::uint64_t links_made_ = 0;
  std::map<std::string, process> processes_;
  std::map<std::string, std::string> ids_;
  std::map<std::string, store_opener> openers_;
  std::pair<std::string, std::size_t> doom_;
  bool last_words_ = false;
  std::set<std::string> cut_;
  std::set<std::string> stubborn_;
  network net_;
  std::deque<pending> queue_;
  std::vector<std::string> transcript_;
};

template <class Message>
void world::notify(const std::string& name, Message message) {
  const auto& p = find(name);
  if (p.actors.count(p.at) == 0) return;
  near(name, address(internal::RUNTIME, "local"), p.at, std::make_shared<const Message>(std::move(message)));
}

}  // namespace troupe::testing
