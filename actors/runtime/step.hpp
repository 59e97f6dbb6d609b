#pragma once

#include "protocol/address.hpp"
#include "protocol/verbs.hpp"
#include "storage/records.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The step contract: all that a core and the world outside it know of each other.
///
///     event ──► core.on(head, body, context) ──► outbox { edits, letters, wake_at }
///                                                  │ 1. commit the edits, after those of all earlier steps
///                                                  │ 2. then deliver the letters, in order
///                                                  └ 3. then arm one timer
///
/// A core is a plain class:
///
///     using hears = …;                                          a verbs<> list
///     void remember(std::string_view key, std::string_view record)   folds one committed record back in; before the
///     first step outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now);
///     state_message save() const;                               the whole state, pending deadlines included
///     static core load(const state_message&, options);          load(save(c)) behaves as c does
///     view look(const std::string& what) const;                 an immutable picture for people and tools
///     void check_invariants() const;                            throws std::logic_error naming the ids
///
/// It reads no clock, draws no randomness, does no I/O, and nothing unordered reaches its outbox. The first event of
/// every incarnation is internal::Recovered.
namespace troupe {

using monotonic_time = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using wall_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// What the world is like at one step.
struct context {
  monotonic_time now;             ///< for deadlines that die with the process
  wall_time wall_now;             ///< for deadlines that outlive it, and for people
  std::uint64_t incarnation = 0;  ///< of this core's store: rises durably at every recovery
  std::uint64_t random_seed = 0;  ///< fresh at each step; feed it to a generator
};

/// A message on its way out. The runner puts it into an envelope.
struct letter {
  Address to;
  std::uint32_t verb = 0;
  std::shared_ptr<const google::protobuf::Message> body;
};

/// What one step decided.
struct outbox {
  std::vector<edit> edits;
  std::vector<letter> letters;
  /// The next moment at which the core wants internal::TimerFired; absent means never. Replaces the previous wish.
  std::optional<monotonic_time> wake_at;
  /// One grep-able line a decision: `offer.rescinded offer=o-17 agent=a-3 reason=agent_lost`. The shell logs them.
  std::vector<std::string> log;
};

/// One step in progress, handed to the core's typed handlers.
struct step {
  const Envelope& head;
  const context& now;
  outbox& out;

  template <class Message>
  void say(Address to, Message message) {
    out.letters.push_back(
        {std::move(to), verb_number<Message>::value, std::make_shared<const Message>(std::move(message))});
  }
  void put(std::string key, const google::protobuf::Message& record) {
    out.edits.push_back(troupe::put(std::move(key), record));
  }
  void erase(std::string key) { out.edits.push_back(troupe::erase(std::move(key))); }
  void log(std::string line) { out.log.push_back(std::move(line)); }
};

namespace detail {
// Protobuf looks its descriptors up at every call: once a message and once a type is enough.
template <class Core, class Message>
bool try_handle(Core& core, step& s, const google::protobuf::Descriptor* kind, const google::protobuf::Message& body) {
  static const auto* const ours = Message::descriptor();
  if (kind != ours) return false;
  core.handle(s, static_cast<const Message&>(body));
  return true;
}
template <class Core, class... Messages>
bool dispatch(Core& core, step& s, const google::protobuf::Message& body, verbs<Messages...>) {
  const auto* kind = body.GetDescriptor();
  return (try_handle<Core, Messages>(core, s, kind, body) || ...);
}
}  // namespace detail

/// Calls core.handle(step&, const M&) for the M among Core::hears that `body` is. False: it is none of them, and
/// nothing happened.
template <class Core>
bool dispatch(Core& core, step& s, const google::protobuf::Message& body) {
  return detail::dispatch(core, s, body, typename Core::hears{});
}

/// A stream of well-spread 64-bit numbers from one seed (SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
class random_stream {
 public:
  explicit random_stream(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, bound); 0 when bound is 0.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  /// 16 random bytes, for uuids.
  std::string bytes16();

 private:
  std::uint64_t state_;
};

inline std::string random_stream::bytes16() {
  std::string bytes;
  for (int half = 0; half < 2; ++half) {
    std::uint64_t word = next();
    for (int i = 0; i < 8; ++i, word >>= 8) bytes.push_back(static_cast<char>(word & 0xff));
  }
  return bytes;
}

}  // namespace troupe
