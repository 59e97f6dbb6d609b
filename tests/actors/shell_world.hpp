#pragma once

#include "actors/runtime/moments.hpp"
#include "actors/runtime/shell.hpp"
#include "actors/runtime/supervisor.hpp"
#include "troupe/internal/records.pb.h"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// A core for trying shells: every Ping puts a record and is answered with a Pong to operator/ear; number 13 makes it
/// throw; a Ping that says `connected` asks for a timer so many milliseconds later, and the timer says Pong 0.
class echo_core {
 public:
  using hears = join<runtime_says, verbs<internal::Ping>>;

  void remember(std::string_view key, std::string_view record);
  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now);
  internal::CounterRecord save() const;
  std::shared_ptr<const google::protobuf::Message> look(const std::string& what) const;
  void check_invariants() const {}

  void handle(step& s, const internal::Recovered& m);
  void handle(step& s, const internal::TimerFired& m);
  void handle(step&, const internal::PeerConnected&) {}
  void handle(step&, const internal::PeerDisconnected&) {}
  void handle(step& s, const internal::Ping& m);

 private:
  std::uint64_t highest_ = 0;
  moment wake_;
};

/// Makes the store answer its oldest commit. Answers must come from within the actor that was asked.
struct store_answer {
  bool success;
};

using echo_actor = hears<echo_core::hears, shell_timer, shell_view>;

/// One thread, one shell, and a store whose answers the test gives: nothing happens but what the test asks for.
class shell_world {
 public:
  shell_world();
  ~shell_world();

  /// Starts the shell under a supervisor and lets it recover.
  void start();

  void ping(std::uint64_t number, bool with_timer = false);
  /// Runs everything that can run without the store's answer.
  void run();
  /// The store answers its oldest commit.
  void commit_succeeds();
  void commit_fails();
  std::size_t commits_waiting() const;

  void advance(std::chrono::milliseconds by);

  /// The numbers of the Pongs that left, in order.
  std::vector<std::uint64_t> heard;
  /// The envelopes they came in.
  std::vector<Envelope> heads;
  std::vector<std::string> gave_up;
  std::map<std::string, std::string> stored;  ///< what the store has made durable
  bool answer_at_once = true;                 ///< the store answers by itself

  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  status_board board;
  directory names{board};
  std::unique_ptr<event_ring> ring;
  std::unique_ptr<services> rt;
  std::unique_ptr<view_desk> desk;
  supervisor_actor supervisor;

 private:
  struct waiting {
    edit_batch edits;
    caf::typed_response_promise<commit_done> promise;
  };
  using store_actor = journal_actor::extend<caf::reacts_to<store_answer>>;
  store_actor spawn_store();
  void answer_oldest(bool success);
  caf::scheduler::test_coordinator& coordinator();

  std::deque<waiting> commits_;
  store_actor store_;
};

}  // namespace troupe

namespace caf {
template <>
struct allowed_unsafe_message_type<troupe::store_answer> : std::true_type {};
}  // namespace caf
