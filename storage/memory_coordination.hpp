#pragma once

#include "storage/coordination_line.hpp"
#include "troupe/internal/coordination.pb.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe {

/// The coordination service as it would be with ZooKeeper, in memory: sessions, a tree of znodes with versions,
/// ephemeral and sequential ones, one-shot watches, changes all or nothing. For the simulator and for tests.
///
/// A passive object, which does one thing at a time when it is told to, and reads no clock: whoever drives it decides
/// when requests arrive, which answers get lost on the way back (the request is done all the same) or on the way there
/// (it is not), and how much time has passed. Two that were driven alike are equal; a copy goes on as the first does.
///
/// Whoever drives it keeps the promise of order: what it returns for one session, watches before the answer, reaches
/// that session's client in the order in which it was returned. Then a client hears that something changed before it
/// can see the change.
class memory_coordination {
 public:
  using session_id = std::uint64_t;
  using time = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
  using message = std::shared_ptr<const google::protobuf::Message>;

  /// A watch went off: to be told to the client of this session.
  struct fired {
    session_id session = 0;
    internal::WatchFired what;
  };
  struct answered {
    message answer;
    std::vector<fired> watches;  ///< to be told first, that of the asking session included
  };

  /// What lies under a path.
  struct znode {
    std::string data;
    std::int64_t czxid = 0;
    std::int64_t mzxid = 0;
    std::int32_t version = 0;
    std::int32_t cversion = 0;
    std::uint64_t next_sequence = 0;  ///< of its children
    session_id owner = 0;             ///< 0: it is not ephemeral
    std::set<std::string> children;   ///< names

    friend bool operator==(const znode& a, const znode& b) {
      return std::tie(a.data, a.czxid, a.mzxid, a.version, a.cversion, a.next_sequence, a.owner, a.children) ==
             std::tie(b.data, b.czxid, b.mzxid, b.version, b.cversion, b.next_sequence, b.owner, b.children);
    }
  };

  // --- sessions

  /// A new session, which expires when it is not touched for this long. Its id is never given again.
  session_id open_session(std::chrono::milliseconds timeout, time now);
  bool is_open(session_id session) const { return sessions_.count(session) != 0; }
  /// A sign of life: a request of it arrived, or its client's ping. False: it has expired.
  bool touch(session_id session, time now);
  /// When the next session expires, unless it is touched.
  std::optional<time> next_expiry() const;
  /// Ends a session: its ephemeral znodes and its watches go. Nothing happens where it is over already.
  std::vector<fired> expire(session_id session);

  struct expired {
    std::vector<session_id> sessions;
    std::vector<fired> watches;
  };
  /// So late is it now: ends those that were not touched for their timeout.
  expired pass(time now);

  // --- requests

  /// Does what a client asks for: any of coordinator_hears but OpenSession. The answer is one of coordinator_says; for
  /// a session that is over, a refusal. Not a sign of life by itself: see touch(). Throws std::logic_error for any
  /// other message.
  answered apply(session_id session, const google::protobuf::Message& request);

  // --- for those who look

  const znode* find(std::string_view path) const;
  std::int64_t zxid() const { return zxid_; }

  /// What a request may hold at most, as with ZooKeeper's default: more is refused.
  static constexpr std::size_t request_bytes_max = (std::size_t{1} << 20) - 1;

  friend bool operator==(const memory_coordination& a, const memory_coordination& b);
  friend bool operator!=(const memory_coordination& a, const memory_coordination& b) { return !(a == b); }

 private:
  struct session {
    std::chrono::milliseconds timeout{};
    time last_touch{};
    friend bool operator==(const session& a, const session& b) {
      return a.timeout == b.timeout && a.last_touch == b.last_touch;
    }
  };
  using watches = std::map<std::string, std::set<session_id>, std::less<>>;  // by path
  using tree = std::map<std::string, znode, std::less<>>;                    // by path; "/" is always there
  class change;

  static internal::ZnodeStat stat_of(const znode& node);
  template <class Request, class Answer>
  answered answer_to(const Request& request, Answer answer, std::vector<fired> watches) const;
  template <class Request>
  answered refuse(const Request& request, internal::RequestRefused::Reason reason, std::uint32_t change = 0) const;

  template <class Request>
  bool try_perform(session_id session, const google::protobuf::Message& request, answered& answer);
  answered perform(session_id session, const internal::CreateZnode& request);
  answered perform(session_id session, const internal::ReadZnode& request);
  answered perform(session_id session, const internal::WriteZnode& request);
  answered perform(session_id session, const internal::DeleteZnode& request);
  answered perform(session_id session, const internal::ListChildren& request);
  answered perform(session_id session, const internal::ChangeZnodes& request);

  tree tree_{{"/", znode{}}};
  std::map<session_id, session> sessions_;
  watches data_watches_;
  watches child_watches_;
  std::int64_t zxid_ = 0;
  session_id next_session_ = 1;
};

/// A line to such a service for those who wait for their answers: a store.
class memory_coordination_line final : public coordination_line {
 public:
  using on_fired = std::function<void(const std::vector<memory_coordination::fired>&)>;

  /// `service` outlives it. Watches that its requests set off are handed to `tell`.
  memory_coordination_line(memory_coordination& service, memory_coordination::session_id session, on_fired tell = {})
      : service_(service), session_(session), tell_(std::move(tell)) {}

  std::shared_ptr<const google::protobuf::Message> ask(const google::protobuf::Message& request) override;

 private:
  memory_coordination& service_;
  memory_coordination::session_id session_;
  on_fired tell_;
};

}  // namespace troupe
