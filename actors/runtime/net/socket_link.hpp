#pragma once

#include "actors/runtime/net/link.hpp"
#include "actors/runtime/net/link_credit.hpp"
#include "actors/runtime/net/link_frame.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// A link between a thread that sends and a connection that carries: everything about it but the socket. The connection
/// asks it for frames to write, one at a time, and hands it the frames it read.
///
///     send ──► queue ──► next_frame ──► connection          connection ──► receive ──► events.envelope
///               ▲ held back by the far end's credit                             │ credit tokens come back
///               └──────────────────── wake, when the connection was idle ◄──────┘
///
/// Envelopes are serialised by the thread that sends them, into the string that becomes a frame as it is.
class socket_link final : public link, public std::enable_shared_from_this<socket_link> {
 public:
  /// Envelopes of one frame come to at most this much, unless it is a single one.
  static constexpr std::size_t frame_bytes_target = 256u << 10;

  /// `accepted`: the far end called us, and is not listened to while it is behind with what we say. (Who calls always
  /// listens: if both ends did the same, each could wait for the other for ever.)
  socket_link(const link_greeting& greeting, const link_options& options, bool accepted);

  const link_identity& peer() const override { return peer_; }
  bool send(Envelope envelope) override;
  bool send(const Envelope& head, const google::protobuf::Message& body) override;
  void announce() override { announced_.fetch_add(1, std::memory_order_relaxed); }
  void close(const std::string& reason) override;
  void abandon(const std::string& reason) override;

  // --- for the connection; `receive`, `next_frame` and `next_close` from one thread at a time ---

  /// `wake` is called, with a lock held, when there is something to write and the last answer of `next_frame` was none,
  /// and in any case when the link is to be closed.
  void attach(std::function<void()> wake);
  /// The connection is gone; nothing wakes it any more, and `send` says false.
  void detach();

  /// The next frame to write; none when there is nothing to say for now.
  std::optional<std::string> next_frame();
  /// Once somebody wants the link closed and all that can be written has been: why.
  std::optional<std::string> next_close();
  /// Somebody wants the link closed; there may be more to write first.
  bool closing();
  /// Nothing more is to be written: the far end does not read. Why.
  std::optional<std::string> abandoned();

  /// Whether our actors have more of this link than its share, or the far end is behind: then nothing is read until
  /// `wake` is called, and this says false.
  bool must_wait();

  /// One frame from the far end. An error says why the link must be closed.
  std::optional<std::string> receive(std::string_view bytes, const link_events& events);

 private:
  struct token;

  bool writable() const;
  std::string take_batch();
  std::string take_affordable();
  template <class... Parts>
  bool put(const Parts&... envelope);
  /// Not while it is credit that we wait for: that comes with what the far end says.
  bool behind() const {
    if (!accepted_) return false;
    if (announced_.load(std::memory_order_relaxed) > behind_letters) return true;
    return waiting_ > behind_bytes && outgoing_.allows(entries_.front().cost);
  }
  void wake_if_no_longer_waits();
  void drop_queue();
  void give_up(const std::string& reason);
  void wake_if_idle();
  void wake_to_close();
  void finished_with(std::uint64_t bytes);

  /// Answers to what it asks while it takes none come to a few times this.
  static constexpr std::size_t behind_bytes = 1u << 20;
  static constexpr std::int64_t behind_letters = 4096;

  const link_identity peer_;
  const link_options options_;
  const bool accepted_;

  std::atomic<std::int64_t> announced_{0};  ///< letters on their way here
  std::mutex mutex_;
  std::function<void()> wake_;
  bool writing_ = true;  ///< until the connection asks for the first frame and finds none
  std::optional<std::string> close_reason_;
  bool abandoned_ = false;
  bool detached_ = false;
  outgoing_credit outgoing_;
  incoming_credit incoming_;

  /// Envelope fields of one frame, encoded.
  struct batch {
    std::string encoded;
    std::size_t envelopes = 0;
    std::uint64_t cost = 0;  ///< of all of them
  };
  /// One envelope of a batch.
  struct entry {
    std::size_t encoded;
    std::uint64_t cost;
  };
  // What waits, in order. Batches, not one string: that would be copied as it grows.
  std::deque<batch> queue_;
  std::deque<entry> entries_;  ///< of all batches
  std::size_t waiting_ = 0;    ///< bytes of all batches
  budget_share unsent_;        ///< of what waits
  budget_share unhandled_;     ///< of what came
  bool waits_ = false;         ///< is not read
};

}  // namespace troupe
