#pragma once

#include "actors/runtime/net/byte_budget.hpp"
#include "actors/runtime/net/link_counters.hpp"
#include "protocol/address.hpp"

#include <google/protobuf/message.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

/// A link is one connection between two processes, over which their actors talk. This header is all that the rest of
/// the program knows of it; sockets, WebSocket and threads are behind it, and so is the in-process link of tests and
/// the simulator.
namespace troupe {

class refusals;
class tls_context;

/// Who stands at one end, as the handshake said it.
struct link_identity {
  Role role = internal::NOBODY;
  std::string id;
  std::uint64_t incarnation = 0;
  std::string cluster_id;  ///< empty while it belongs to none
  std::string software;    ///< release, for people

  Address address() const { return troupe::address(role, id); }
};

struct link_options {
  std::uint64_t credit_bytes = 16u << 20;  ///< what the far end may send ahead of our actors
  /// What waits for the far end's credit, or is a single envelope; past it the link closes ("slow reader").
  std::uint64_t send_queue_bytes = 8u << 20;
  std::uint64_t frame_bytes = 32u << 20;  ///< the largest frame, hence envelope, that is accepted
  std::uint32_t heartbeat_ms = 5000;
  std::uint32_t silence_ms = 20000;   ///< nothing heard for this long closes the link
  std::uint32_t handshake_ms = 5000;  ///< to get from accept to a complete Hello
  std::shared_ptr<link_counters> counters = std::make_shared<link_counters>();  ///< never null
  std::shared_ptr<const tls_context> tls;  ///< of a dialler: how https:// is spoken; null: it is not
  std::string source;  ///< of a dialler: the numeric address that it calls from; empty: the system's choice
  std::shared_ptr<refusals> refused;  ///< of an acceptor: hears of links that are ended for cause; may be null

  // What all links that have these options hold together; never null. A link that holds more than its share is closed.
  std::shared_ptr<byte_budget> unsent = std::make_shared<byte_budget>(512u << 20);      ///< of send queues
  std::shared_ptr<byte_budget> unfinished = std::make_shared<byte_budget>(512u << 20);  ///< of frames that still come
  /// Of letters that came and that our actors have not finished with: as messages they are many times larger. A link
  /// that holds more than its share is not closed but not read for a while.
  std::shared_ptr<byte_budget> unhandled = std::make_shared<byte_budget>(384u << 10);
};

/// One established link. Thread-safe; kept alive by shared_ptr; ends by itself when the connection does.
class link {
 public:
  virtual ~link() = default;
  virtual const link_identity& peer() const = 0;
  /// Queues an envelope with its payload; frames carry as many as wait. False: closed, or the queue is over its cap
  /// (which closes it), or the envelope is larger than a frame may be (which does not). What was not queued is dropped
  /// and counted.
  virtual bool send(Envelope envelope) = 0;
  /// The same for an envelope that travels beside its message, as they do within a process.
  virtual bool send(const Envelope& head, const google::protobuf::Message& body);
  /// A letter is on its way here, through a mailbox: one `send` of head and body will follow, or the end of the link.
  virtual void announce() {}
  /// Sends what is queued if it can, then closes; `down` follows.
  virtual void close(const std::string& reason) = 0;
  /// Closes at once, as one whose far end does not keep up: what is queued is dropped.
  virtual void abandon(const std::string& reason) = 0;
};

/// What happens on links. Called from an I/O thread, one call at a time for each link, `up` first and `down` last. Must
/// not block.
struct link_events {
  std::function<void(const std::shared_ptr<link>&)> up;
  /// `credit`: the bytes go back to the sender when the last copy of it is gone.
  std::function<void(const std::shared_ptr<link>&, Envelope&&, std::shared_ptr<void> credit)> envelope;
  std::function<void(const std::shared_ptr<link>&, const std::string& reason)> down;
};

/// Two ends of one link within this process: same order, same limits, no sockets. `a` and `b` say who they are; each
/// end's events are called from the other end's caller.
void connect_in_process(const link_identity& a, link_events on_a, const link_identity& b, link_events on_b,
                        const link_options& options = {});

}  // namespace troupe
