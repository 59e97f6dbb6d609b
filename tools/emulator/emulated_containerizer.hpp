#pragma once

#include "actors/runtime/actor_host.hpp"
#include "actors/runtime/step.hpp"
#include "protocol/address.hpp"
#include "tools/emulator/delay_histogram.hpp"
#include "tools/emulator/task_length.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// What all emulated containerizers of a process have done. Thread-safe.
class container_figures {
 public:
  struct counts {
    std::uint64_t launched = 0;
    std::uint64_t ended = 0;
    /// From the end of a container to the next launch on the same agent: how long what a task had lay idle.
    delay_histogram idle;
  };

  void launched(std::chrono::nanoseconds idle);
  /// Of the first ones, whose place was never taken before.
  void launched();
  void ended();
  counts read() const;

 private:
  mutable std::mutex mutex_;
  counts counts_;
};

/// A containerizer whose containers are nothing but a time at which they end: it starts no process and makes no
/// sandbox. A core (actors/runtime/step.hpp) that hears and says what the real one does (container.proto).
///
/// A container that ends by itself does so with status 0; one that is signalled, with that signal. How the last few
/// ended is kept for requests that are repeated. Those of an earlier incarnation are gone, as after the end of the real
/// one.
class emulated_containerizer {
 public:
  using hears = join<verbs<internal::Recovered, internal::TimerFired>, containerizer_hears>;

  emulated_containerizer(task_length length, std::uint64_t seed, std::shared_ptr<container_figures> figures)
      : lengths_(length, seed), figures_(std::move(figures)) {}

  void remember(std::string_view, std::string_view) {}
  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now);
  /// An internal::ProgramEvent "containers" with how many there are.
  std::shared_ptr<const google::protobuf::Message> look(const std::string& what) const;
  void check_invariants() const;

  void handle(step& s, const internal::Recovered& recovered);
  void handle(step& s, const internal::TimerFired& fired);
  void handle(step& s, const internal::LaunchContainer& request);
  void handle(step& s, const internal::SignalContainer& request);
  void handle(step& s, const internal::DestroyContainer& request);
  /// The last few are kept all the same, and no more than those.
  void handle(step&, const internal::ReleaseContainer&) {}
  void handle(step& s, const internal::KeepContainers& request);

 private:
  struct container {
    Address owner;  ///< whoever launched it
    monotonic_time ends;
    int pid = 0;
    wall_time launched_at{};
  };
  struct ended_container {
    std::string id;
    container last;
    int status = 0;
  };
  using table = std::map<std::string, container>;

  void say_launched(step& s, const Address& to, const std::string& id, const container& c) const;
  void say_exited(step& s, const Address& to, const std::string& id, std::optional<int> status) const;
  const ended_container* find_ended(const std::string& id) const;
  void end(step& s, table::iterator it, int status);
  /// Ends it with this status as from wait(2); to whoever asks about one that is not there it says so.
  void stop(step& s, const std::string& id, int status);

  task_lengths lengths_;
  std::shared_ptr<container_figures> figures_;
  table running_;
  std::set<std::pair<monotonic_time, std::string>> ends_;  ///< of all that run
  std::deque<monotonic_time> idle_since_;                  ///< what has ended and was not followed by a launch yet
  std::deque<ended_container> ended_;                      ///< the last ones
  int last_pid_ = 0;
};

/// Starts one at containerizer/local.
void start_emulated_containerizer(const actor_host& host, task_length length, std::uint64_t seed,
                                  std::shared_ptr<container_figures> figures);

}  // namespace troupe
