#pragma once

#include "tests/scenarios/script.hpp"
#include "tests/scenarios/world.hpp"

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::testing {

/// Plays one scenario in a world of its own. README.md describes what lines there are.
class player {
 public:
  explicit player(const scenario& told, std::uint64_t seed = 1) : told_(told), world_(seed) {}

  /// To the end, with every claim of `covers` held against what happened. Throws script_error for a line that is wrong
  /// or expects in vain, world_error for a cluster that contradicts itself.
  void play();
  const std::vector<std::string>& transcript() const { return world_.transcript(); }

 private:
  void play(const script_line& line);

  // player.cpp: what there is, and what the network does
  void give(word_reader& words);
  void give_master(word_reader& words);
  void give_framework(word_reader& words);
  void wait_until_welcome(const script_line& line, const std::string& name, std::uint32_t answer);
  letter_pattern pattern(word_reader& words);
  bool rule(const std::string& kind, word_reader& words);
  void check_covers() const;

  // player_actions.cpp: when …
  void act(word_reader& words);
  bool act_on_process(const std::string& who, const std::string& what, word_reader& words);
  bool act_as_scheduler(const std::string& who, const std::string& what, word_reader& words);
  bool act_as_executor(const std::string& who, const std::string& what, word_reader& words);
  void launch(const std::string& who, word_reader& words);
  void say(const std::string& who, word_reader& words);
  std::string expanded(const script_line& line, const std::string& who, const std::string& text) const;
  std::string id(const script_line& line, const std::string& name) const;

  // player_expectations.cpp: expect …
  void expect(word_reader& words);
  void expect_hearing(const std::string& who, word_reader& words);
  void expect_offer(const std::string& who, word_reader& words);
  void expect_known(word_reader& words);
  void expect_known_agent(word_reader& words);
  void expect_known_framework(word_reader& words);
  void expect_known_task(word_reader& words);
  void expect_share(const std::string& agent, const std::string& part, word_reader& words);
  std::vector<v1::Offer> open_offers(const std::string& framework, const std::string& agent) const;

  const scenario& told_;
  world world_;
  std::set<std::string> used_offers_;
  std::map<std::string, std::size_t> taken_;  // how many of its letters a process's expectations have gone past
};

std::chrono::nanoseconds duration_in(word_reader& words);
std::string unquoted(const std::string& word);

}  // namespace troupe::testing
