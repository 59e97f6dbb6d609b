#pragma once

#include "actors/elector/elector.hpp"
#include "storage/memory_coordination.hpp"
#include "tests/unit/core_driver.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::testing {

/// Some electors with their lines to one coordination service in memory. Nothing moves by itself: requests wait at each
/// line until they are let through or lost, and so does what the service says. All clocks go alike.
///
/// It checks with every step that epochs rise strictly over all leaders.
class elector_world {
 public:
  using message = std::shared_ptr<const google::protobuf::Message>;

  struct member {
    member(const std::string& name, bool stands);

    std::string name;
    core_driver<elector> core;
    std::optional<memory_coordination::session_id> session;  ///< as the line knows it
    bool connected = true;
    std::optional<memory_coordination> cut_off;  ///< all that its server knows, if that is cut off from the others
    std::deque<message> requests;                ///< on their way to the service
    std::deque<message> news;                    ///< on their way to the elector
    std::deque<message> missed;                  ///< watches that go off while it is not connected

    std::vector<std::string> facts;  ///< what it told its process: "started 1", "stopped 1 OUT_OF_TOUCH", "leader a"
    std::uint64_t epoch = 0;         ///< with which the process leads
    internal::StartedLeading last_started;
  };

  /// What happens to a request on its way.
  enum class fate { answered, lost_before, lost_after };

  member& add_candidate(const std::string& name) { return add(name, true); }
  member& add_observer(const std::string& name) { return add(name, false); }

  // --- one thing at a time

  /// Takes a member's oldest request to the service. False: there is none.
  bool serve(member& m, fate what = fate::answered);
  /// Tells a member the oldest of its news. False: there is none.
  bool tell(member& m);
  void disconnect(member& m);
  void reconnect(member& m);
  /// The server that it is connected to has lost the others: it goes on answering what is only read, as of now, until
  /// the connection is lost.
  void cut_off(member& m);
  /// The service ends the session before its time.
  void expire(member& m);
  /// Lets time pass for all; those connected show the service that they live.
  void tick(std::chrono::nanoseconds time);

  // --- many

  /// Until nothing is on its way.
  void settle();
  /// In small ticks, with everything let through.
  void run(std::chrono::nanoseconds time);
  /// Until this member has a request of this kind on its way; for the others only time passes.
  template <class Request>
  void run_until_asked(member& m) {
    for (int i = 0; i < 100000; ++i) {
      if (!m.requests.empty() && dynamic_cast<const Request*>(m.requests.front().get())) return;
      if (!tell(m) && !serve(m)) tick(std::chrono::milliseconds(50));
    }
    FAIL("it was never asked");
  }

  std::vector<member*> leaders();
  std::vector<std::unique_ptr<member>>& members() { return members_; }
  /// Of their znodes.
  std::set<std::string> members_in_service() const;
  std::optional<internal::EpochRecord> epoch_in_service() const;
  /// Somebody else's session: what it asks is done at once.
  message ask(const google::protobuf::Message& request);

  memory_coordination service;

 private:
  member& add(const std::string& name, bool stands);
  void take(member& m, const std::vector<letter>& letters);
  void note(member& m, const letter& said);
  bool notice_expiry(member& m);
  message answer_of_cut_off(member& m, const google::protobuf::Message& request);
  void pass_on(const std::vector<memory_coordination::fired>& watches);
  monotonic_time now() const;

  std::vector<std::unique_ptr<member>> members_;
  std::uint64_t highest_epoch_ = 0;
  std::optional<memory_coordination::session_id> other_;
};

}  // namespace troupe::testing
