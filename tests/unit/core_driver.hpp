#pragma once

#include "actors/runtime/step.hpp"
#include "troupe/internal/runtime.pb.h"

#include <google/protobuf/util/message_differencer.h>

#include <catch2/catch.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::testing {

/// The same letters, edits, moments and lines, in the same order?
inline bool same_outbox(const outbox& a, const outbox& b) {
  if (a.edits.size() != b.edits.size() || !(a.edits == b.edits)) return false;
  if (a.wake_at != b.wake_at || a.log != b.log || a.letters.size() != b.letters.size()) return false;
  for (std::size_t i = 0; i < a.letters.size(); ++i)
    if (!same(a.letters[i].to, b.letters[i].to) || a.letters[i].verb != b.letters[i].verb ||
        !google::protobuf::util::MessageDifferencer::Equals(*a.letters[i].body, *b.letters[i].body))
      return false;
  return true;
}

/// Drives one core: feeds it events at a time of its own, keeps its store, and after every step checks its invariants,
/// and that a copy made of its saved state behaves as it does in the next step.
template <class Core>
class core_driver {
 public:
  using maker = std::function<Core()>;
  using loader = std::function<Core(const typename Core::state_message&)>;

  core_driver(maker make, loader load) : make_(std::move(make)), load_(std::move(load)), core_(make_()) {}

  const Core& core() const { return core_; }
  const std::map<std::string, std::string>& store() const { return store_; }
  monotonic_time now() const { return now_; }
  wall_time wall_now() const { return wall_time(std::chrono::hours(24 * 365 * 50) + now_.time_since_epoch()); }
  std::optional<monotonic_time> wake_at() const { return wake_at_; }

  /// All letters of the last step.
  const outbox& last() const { return last_; }

  const outbox& hear(const Address& from, const google::protobuf::Message& body, std::uint64_t epoch = 0) {
    Envelope head;
    *head.mutable_from() = from;
    if (epoch) head.set_epoch(epoch);
    head.set_verb(verb_of(body));
    context at{now_, wall_now(), 1, random_.next()};
    std::optional<Core> twin(load_(core_.save()));
    last_ = core_.on(head, body, at);
    REQUIRE(same_outbox(twin->on(head, body, at), last_));
    REQUIRE(twin->save().SerializeAsString() == core_.save().SerializeAsString());
    core_.check_invariants();
    for (const auto& e : last_.edits) {
      if (e.record)
        store_[e.key] = *e.record;
      else
        store_.erase(e.key);
    }
    wake_at_ = last_.wake_at;
    return last_;
  }

  /// A new incarnation, from what the store holds.
  const outbox& recover(const std::string& id = "instance") {
    core_ = make_();
    for (const auto& [key, record] : store_) core_.remember(key, record);
    internal::Recovered recovered;
    recovered.set_id(id);
    recovered.set_incarnation(++incarnation_);
    return hear(address(internal::RUNTIME, "local"), recovered);
  }

  /// A first incarnation over another one's store.
  const outbox& restore(std::map<std::string, std::string> store) {
    store_ = std::move(store);
    return recover();
  }

  /// Lets time pass, firing the timer whenever the core asked for it; returns all letters of those steps.
  std::vector<letter> pass(std::chrono::nanoseconds time) {
    std::vector<letter> letters;
    auto end = now_ + time;
    while (wake_at_ && *wake_at_ <= end) {
      if (*wake_at_ > now_) now_ = *wake_at_;
      auto before = wake_at_;
      hear(address(internal::RUNTIME, "local"), internal::TimerFired());
      letters.insert(letters.end(), last_.letters.begin(), last_.letters.end());
      REQUIRE((!wake_at_ || *wake_at_ > *before));  // else it would spin
    }
    now_ = end;
    return letters;
  }

 private:
  maker make_;
  loader load_;
  Core core_;
  std::map<std::string, std::string> store_;
  outbox last_;
  std::optional<monotonic_time> wake_at_;
  monotonic_time now_{std::chrono::hours(1)};
  std::uint64_t incarnation_ = 0;
  random_stream random_{42};
};

/// The letters of one kind, in order.
template <class Message>
std::vector<Message> all_said(const std::vector<letter>& letters) {
  std::vector<Message> found;
  for (const auto& l : letters)
    if (l.verb == verb_number<Message>::value) found.push_back(static_cast<const Message&>(*l.body));
  return found;
}

template <class Message>
std::vector<Message> all_said(const outbox& out) {
  return all_said<Message>(out.letters);
}

/// The one letter of a kind; there must be exactly one.
template <class Message>
Message said(const outbox& out) {
  auto found = all_said<Message>(out);
  REQUIRE(found.size() == 1);
  return found.front();
}

template <class Message>
bool is_said(const outbox& out) {
  return !all_said<Message>(out).empty();
}

}  // namespace troupe::testing
