#pragma once

#include "actors/master/agent_table.hpp"
#include "actors/master/deadline_book.hpp"
#include "actors/master/framework_rules.hpp"
#include "actors/master/framework_table.hpp"
#include "actors/master/id_mint.hpp"
#include "actors/master/master_options.hpp"
#include "actors/master/offer_book.hpp"
#include "actors/master/task_validation.hpp"
#include "actors/runtime/step.hpp"
#include "troupe/internal/master_state.pb.h"
#include "troupe/internal/records.pb.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The master: who is in the cluster, which framework was offered what, and what runs where.
///
/// A core (actors/runtime/step.hpp). Durable: the registry, that is agents and frameworks (internal::AgentRecord,
/// internal::FrameworkRecord) and weights. Everything else is soft: tasks are relearned from agents, offers die with
/// the master. What is free is the allocator's knowledge; the master claims, returns and releases.
class master {
 public:
  using hears = master_hears;

  explicit master(master_options options = {});

  /// Folds one record of the registry back in. Damaged ones are named in the log of the first step and otherwise left
  /// out.
  void remember(std::string_view key, std::string_view record);

  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now);

  internal::MasterState save() const;
  static master load(const internal::MasterState& state, master_options options);

  /// internal::MasterView. `what`: "" everything; "agents" or "frameworks": those alone, frameworks with their tasks
  /// and offers.
  std::shared_ptr<const google::protobuf::Message> look(const std::string& what) const;

  /// Throws std::logic_error that names the ids: every offer's agent and framework are there, every task is in both
  /// indices, and no agent has given away more than it has.
  void check_invariants() const;

  /// Of the leadership that this master has, or is about to lose; 0 before it has recovered.
  std::uint64_t epoch() const { return ids_.epoch(); }

  // --- the runtime
  // -------------------------------------------------------------------------------------------------------------
  void handle(step&, const internal::Recovered&);
  void handle(step&, const internal::TimerFired&);
  void handle(step&, const internal::PeerConnected&);
  void handle(step&, const internal::PeerDisconnected&);
  // --- agents
  // ------------------------------------------------------------------------------------------------------------------
  void handle(step&, const internal::RegisterAgent&);
  void handle(step&, const internal::ReregisterAgent&);
  void handle(step&, const internal::UnregisterAgent&);
  void handle(step&, const internal::Pong&);
  void handle(step&, const internal::StatusUpdated&);
  void handle(step&, const internal::ExecutorExited&);
  void handle(step&, const internal::SendToFramework&);
  // --- frameworks
  // --------------------------------------------------------------------------------------------------------------
  void handle(step&, const scheduler::Call::Subscribe&);
  void handle(step&, const scheduler::Call::UpdateFramework&);
  void handle(step&, const internal::TeardownFramework&);
  void handle(step&, const scheduler::Call::Accept&);
  void handle(step&, const scheduler::Call::Decline&);
  void handle(step&, const scheduler::Call::Revive&);
  void handle(step&, const scheduler::Call::Suppress&);
  void handle(step&, const scheduler::Call::Kill&);
  void handle(step&, const scheduler::Call::Shutdown&);
  void handle(step&, const scheduler::Call::Acknowledge&);
  void handle(step&, const scheduler::Call::Reconcile&);
  void handle(step&, const scheduler::Call::Message&);
  // --- operators
  // ---------------------------------------------------------------------------------------------------------------
  void handle(step&, const internal::KillTaskByOperator&);
  // --- the allocator
  // -----------------------------------------------------------------------------------------------------------
  void handle(step&, const internal::AllocatorStarted&);
  void handle(step&, const internal::ResourcesOffered&);

 private:
  // master.cpp: who speaks, and what is due
  registered_agent* speaking_agent(step& s, const v1::AgentID& claimed, const char* what);
  framework* speaking_framework(step& s, const char* what);
  void on_due(step& s, const deadline_key& key);
  std::optional<monotonic_time> next_wake(const context& now) const;

  // master_registration.cpp: agents come, come back and leave
  void refuse_agent(step& s, internal::AgentRefused refusal);
  std::optional<internal::AgentRefused> objection_to(const internal::ReregisterAgent& report,
                                                     const Address& from) const;
  void on_agent_returned(step& s, const internal::ReregisterAgent& report);
  void on_registered_agent_returned(step& s, registered_agent& agent, const internal::ReregisterAgent& report);
  void on_absent_agent_returned(step& s, const internal::ReregisterAgent& report);
  void answer_registered(step& s, registered_agent& agent);
  void remove_agent(step& s, registered_agent& agent, const std::string& why);
  void remember_agent(step& s, const absent_agent& agent, internal::AgentRecord::State state);

  // master_reports.cpp: what a returning agent reports is joined with what the master knows
  struct joining {
    bool tell;       ///< frameworks hear that their tasks are back
    bool in_ledger;  ///< the allocator knows the agent already, and must be told of each charge
  };
  void join_report(step& s, registered_agent& agent, const internal::ReregisterAgent& report, joining how);
  void learn_framework(step& s, registered_agent& agent, const v1::FrameworkInfo& info);
  void learn_task(step& s, registered_agent& agent, const v1::Task& reported, joining how);
  void learn_executor(step& s, registered_agent& agent, v1::ExecutorInfo info, joining how);
  bool make_room(step& s, const registered_agent& agent, const resources& bare);
  void kill_duplicate(step& s, const registered_agent& agent, const v1::Task& task);
  void on_tasks_unlisted(step& s, registered_agent& agent, const std::set<task_key>& listed);
  void on_executors_unlisted(step& s, registered_agent& agent, const std::set<executor_key>& listed);
  void on_unreachable_tasks_unlisted(step& s, registered_agent& agent);

  // master_liveness.cpp: agents are lost
  void on_ping_due(step& s, registered_agent& agent);
  void on_agent_link_lost(step& s, registered_agent& agent, const std::string& reason);
  void on_agent_unreachable(step& s, registered_agent& agent, const char* reason);
  void on_recovered_agents_overdue(step& s);
  void on_registry_gc_due(step& s);
  void clear_agent(step& s, registered_agent& agent);
  void tell_agent_lost(step& s, const agent_id& agent);

  // master_frameworks.cpp: frameworks come, change and end
  result<void> may_subscribe(const scheduler::Call::Subscribe& call, const framework* known) const;
  void on_framework_returned(step& s, framework& entry, v1::FrameworkInfo info, const role_list& suppressed);
  void on_framework_arrived(step& s, v1::FrameworkInfo info, const role_list& suppressed);
  void answer_subscribed(step& s, const framework& entry);
  v1::MasterInfo master_info() const;
  void tell_framework_changed(step& s, const framework& entry);
  void tell_agents_of(step& s, const framework& entry);
  void on_framework_away(step& s, framework& entry, const char* reason);
  void remove_framework(step& s, framework_id id, const char* reason);
  void end_everything_of(step& s, framework& entry);
  void remember_framework(step& s, const framework& entry);
  void refuse_framework(step& s, const std::string& message);
  std::set<agent_id> agents_of(const framework& entry) const;
  result<std::vector<std::string>> chosen_roles(const framework& entry, const role_list& roles) const;

  // master_allocation.cpp: the ledger beside the master
  template <class Message>
  void tell_allocator(step& s, Message message) {
    s.say(allocator(), std::move(message));
  }
  void feed_allocator(step& s);
  /// One that outlived the former master forgets what it held for it.
  void reset_allocator(step& s);
  void feed_agent(step& s, const registered_agent& agent);
  void feed_framework(step& s, const framework& entry);
  void set_agent_active(step& s, const agent_id& agent, bool active);
  void settle(step& s, const offer& entry, const resources& used, const resources& unused, const v1::Filters* filters);
  void tell_charge(step& s, const framework_id& owner, const registered_agent& agent, const resources& what);
  void charge(registered_agent& agent, const resources& what);
  void discharge(registered_agent& agent, const resources& what);
  void release(step& s, const framework_id& owner, registered_agent& agent, const resources& what);

  // master_offers.cpp: offers are made and withdrawn
  /// Why no offer was made; empty if one was, and added to `event`.
  std::string make_offer(step& s, const framework& to, const std::string& role,
                         const internal::ResourcesOffered::Share& share, scheduler::Event::Offers& event);
  v1::Offer described(const offer& entry, const framework& to, const registered_agent& agent) const;
  std::optional<offer> take_offer(const offer_id& id);
  /// Is there room on the agent beside all that is used and offered?
  bool fits(const registered_agent& agent, const resources& bare) const;
  /// Tells the framework; the allocator is not told.
  void withdraw(step& s, const offer& taken, const char* reason);
  void rescind(step& s, const offer_id& id, const char* reason);
  void rescind_offers_of(step& s, const registered_agent& agent, const char* reason);
  void return_offers_of(step& s, const framework& entry, const char* reason);

  // master_accept.cpp: offers are used
  struct accepted;
  std::optional<std::string> objection_to(const scheduler::Call::Accept& call, const framework& by) const;
  void reject_accept(step& s, framework& by, const scheduler::Call::Accept& call, const std::string& why);
  v1::TaskStatus::Reason reason_of_rejection(const v1::TaskInfo& task, const scheduler::Call::Accept& call) const;
  void apply(step& s, accepted& deal, const v1::Offer::Operation& operation);
  void launch(step& s, accepted& deal, v1::TaskInfo task, const launch_claim& claim);
  void refuse_operation(step& s, const framework& by, const v1::Offer::Operation& operation, const std::string& why);

  // master_tasks.cpp: tasks change state and end
  void tell(step& s, const framework& owner, v1::TaskStatus status);
  /// `charged`: what it holds.
  tracked_task& add_task(framework& owner, registered_agent& agent, v1::Task task, resources charged);
  void set_state(step& s, framework& owner, registered_agent& agent, tracked_task& entry, v1::TaskState state);
  void on_task_reported(step& s, framework& owner, registered_agent& agent, tracked_task& entry,
                        const internal::StatusUpdated& update, const v1::TaskStatus& status);
  v1::Task take_task(step& s, framework& owner, registered_agent& agent, const task_id& id);
  void complete_task(step& s, framework& owner, registered_agent& agent, const task_id& id);
  void acknowledge_for(step& s, const registered_agent& agent, const internal::StatusUpdated& update,
                       const char* reason);

  // master_executors.cpp
  void end_executor(step& s, registered_agent& agent, const executor_key& key, const char* reason);
  void end_executor_if_unlisted(step& s, registered_agent& agent, const v1::Task& last);
  bool has_live_task(const registered_agent& agent, const executor_key& key) const;

  // master_kill.cpp
  std::string objection_to_kill(const task_id& id, const std::vector<framework*>& owners) const;
  void kill(step& s, framework& owner, tracked_task& entry, std::optional<v1::KillPolicy> policy);
  void send_kill(step& s, const framework_id& owner, tracked_task& entry);
  void on_kill_due(step& s, const deadline_key& key);
  void repeat_kills_on(step& s, const registered_agent& agent);
  void kill_when_back(step& s, framework& owner, const task_id& id, std::optional<v1::KillPolicy> policy);
  static void forget_away_kills(framework& owner);

  // master_view.cpp
  void show_framework(const framework& entry, internal::MasterView::Framework* shown) const;

  // master_reconciliation.cpp
  void answer_questions(step& s);
  void answer_some(step& s, framework& owner, std::size_t& left);
  void reconcile_one(step& s, const framework& owner, const task_id& id, const task_question& question);

  master_options options_;
  id_mint ids_;
  wall_time elected_at_{};
  agent_table agents_;
  framework_table frameworks_;
  offer_book offers_;
  std::map<std::string, double> weights_;
  deadline_book<monotonic_time> deadlines_;
  deadline_book<wall_time> wall_deadlines_;
  framework_id answered_last_;        ///< of those that have questions; the next is whose turn it is
  std::vector<std::string> damaged_;  ///< keys of records that could not be read, until the first step
};

}  // namespace troupe
