#pragma once

#include "frameworks/sdk/scheduler.hpp"
#include "troupe/internal/sdk_state.pb.h"

#include <map>
#include <memory>

namespace troupe::sdk {

struct scheduler_core_options {
  std::chrono::milliseconds subscribe_retry{2000};  ///< first repetition of an unanswered Subscribe, doubling
  std::chrono::milliseconds subscribe_retry_max{15000};
  std::chrono::milliseconds reconcile_retry{500};  ///< first repetition of an unanswered question, doubling
  std::chrono::milliseconds reconcile_retry_max{60000};
};

/// The core around a scheduler: subscribes, keeps the framework's id, acknowledges, reconciles after each subscription.
/// A question about a task is asked again until anything is heard of that task: a new master says nothing of one whose
/// agent may still come back.
///
///     unlinked ──PeerConnected──► subscribing ──Subscribed──► subscribed ──PeerDisconnected──► unlinked
///                                     └── Subscribe again, with backoff ──┘
///
/// When the scheduler stops it says ProgramEvent{"exit", code in decimal} to runtime/local, as its last letter.
class scheduler_core {
 public:
  using hears = framework_hears;

  scheduler_core(std::shared_ptr<scheduler> logic, scheduler_core_options options);

  void remember(std::string_view key, std::string_view record);
  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now);
  internal::SchedulerState save() const;
  void load(const internal::SchedulerState& state);
  std::shared_ptr<const google::protobuf::Message> look(const std::string& what) const;
  void check_invariants() const;

  void handle(step& s, const internal::Recovered& m);
  void handle(step& s, const internal::TimerFired& m);
  void handle(step& s, const internal::PeerConnected& m);
  void handle(step& s, const internal::PeerDisconnected& m);
  void handle(step& s, const internal::ProgramEvent& m);
  void handle(step& s, const v1::scheduler::Event::Subscribed& m);
  void handle(step& s, const v1::scheduler::Event::Offers& m);
  void handle(step& s, const v1::scheduler::Event::Rescind& m);
  void handle(step& s, const v1::scheduler::Event::Update& m);
  void handle(step& s, const v1::scheduler::Event::UpdateOperationStatus& m);
  void handle(step& s, const v1::scheduler::Event::Message& m);
  void handle(step& s, const v1::scheduler::Event::Failure& m);
  void handle(step& s, const v1::scheduler::Event::Error& m);

 private:
  void subscribe(step& s);
  template <class Event>
  void tell(step& s, Event event);  // calls the scheduler with a fresh `calls`
  void note_questions(step& s, std::size_t first_letter);
  void ask_again(step& s);
  void forget_questions();

  std::shared_ptr<scheduler> logic_;
  scheduler_core_options options_;
  framework_id id_;
  bool linked_ = false;
  bool subscribed_ = false;
  bool done_ = false;
  std::optional<monotonic_time> subscribe_at_;
  unsigned attempts_ = 0;
  std::optional<monotonic_time> logic_wake_;
  std::map<task_id, v1::scheduler::Call::Reconcile::Task> unanswered_;
  std::optional<monotonic_time> ask_at_;
  std::chrono::nanoseconds ask_pause_{0};
  std::optional<int> exit_code_;
};

}  // namespace troupe::sdk
