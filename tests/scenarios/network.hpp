#pragma once

#include "protocol/address.hpp"

#include <google/protobuf/message.h>

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::testing {

/// A letter between two processes, by their names in the world.
struct crossing {
  std::string from, to;
  std::uint64_t link = 0;  ///< that it was sent over; it is lost when that one is gone
  Envelope head;
  std::shared_ptr<const google::protobuf::Message> body;
  bool copy = false;                          ///< the second of two
  std::optional<std::uint64_t> held_at_step;  ///< of the world, if it was held
  bool last_word = false;                     ///< arrives although whoever said it has ended, and the link with it
};

/// What can happen to a verb on its way, each named as in a line `covers`.
enum class mishap { twice, late, never };
const char* name_of(mishap what);

/// Which letters a rule is about. Empty names mean any process.
struct letter_pattern {
  std::uint32_t verb = 0;
  std::string from, to;

  bool fits(const crossing& letter) const;
};

/// The links between processes, each a pair of ordered streams, and what the scenario does to them.
///
/// A stream never changes the order of its letters: one that is held holds up all that is said after it in the same
/// direction over the same link, as a stalled connection does.
class network {
 public:
  // --- rules; each but drop_every is about the next letter that fits
  void drop(letter_pattern what) { drops_.push_back(std::move(what)); }
  void drop_every(letter_pattern what) { standing_drops_.push_back(std::move(what)); }
  void deliver(const letter_pattern& what);
  void hold(letter_pattern what) { holds_.push_back(std::move(what)); }
  void duplicate(letter_pattern what) { duplicates_.push_back(std::move(what)); }
  /// Lets the streams move again that such a letter held up: what may travel now, in order. Empty: nothing was held.
  std::vector<crossing> release(const letter_pattern& what);
  /// Rules that are still waiting for their letter, described; a scenario that ends so has not shown what it wanted to.
  std::vector<std::string> unused() const;

  bool meddles() const;

  /// The letter is said: the letters that travel, in order. `step` is the world's count of steps.
  std::vector<crossing> say(crossing letter, std::uint64_t step);
  /// Letters that were held on a link that is gone.
  void forget(std::uint64_t link);

  /// That really happened to a verb.
  void note(std::uint32_t verb, mishap what) { happened_.emplace(verb, what); }
  const std::set<std::pair<std::uint32_t, mishap>>& happened() const { return happened_; }

 private:
  using direction = std::pair<std::string, std::string>;

  static bool take(std::list<letter_pattern>& rules, const crossing& letter);

  std::list<letter_pattern> drops_, standing_drops_, holds_, duplicates_;
  std::map<direction, std::deque<crossing>> held_;
  std::set<std::pair<std::uint32_t, mishap>> happened_;
};

}  // namespace troupe::testing
