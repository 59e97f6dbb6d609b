#include "tests/scenarios/network.hpp"

#include "tests/scenarios/letter_text.hpp"

#include <algorithm>

namespace troupe::testing {

const char* name_of(mishap what) {
  switch (what) {
    case mishap::twice:
      return "twice";
    case mishap::late:
      return "late";
    case mishap::never:
      return "never";
  }
  return "";
}

bool letter_pattern::fits(const crossing& letter) const {
  return letter.head.verb() == verb && (from.empty() || from == letter.from) && (to.empty() || to == letter.to);
}

bool network::take(std::list<letter_pattern>& rules, const crossing& letter) {
  auto rule = std::find_if(rules.begin(), rules.end(), [&](const letter_pattern& p) { return p.fits(letter); });
  if (rule == rules.end()) return false;
  rules.erase(rule);
  return true;
}

void network::deliver(const letter_pattern& what) {
  standing_drops_.remove_if([&](const letter_pattern& p) {
    return p.verb == what.verb && (what.from.empty() || p.from == what.from) && (what.to.empty() || p.to == what.to);
  });
}

std::vector<crossing> network::say(crossing letter, std::uint64_t step) {
  auto stalled = held_.find({letter.from, letter.to});
  if (stalled != held_.end()) {
    stalled->second.push_back(std::move(letter));
    return {};
  }
  const bool always = std::any_of(standing_drops_.begin(), standing_drops_.end(),
                                  [&](const letter_pattern& p) { return p.fits(letter); });
  if (always || take(drops_, letter)) {
    note(letter.head.verb(), mishap::never);
    return {};
  }
  if (take(holds_, letter)) {
    letter.held_at_step = step;
    const direction way{letter.from, letter.to};
    held_[way].push_back(std::move(letter));
    return {};
  }
  std::vector<crossing> travelling{letter};
  if (take(duplicates_, letter)) {
    travelling.push_back(letter);
    travelling.back().copy = true;
  }
  return travelling;
}

std::vector<crossing> network::release(const letter_pattern& what) {
  std::vector<crossing> travelling;
  for (auto way = held_.begin(); way != held_.end();) {
    if (way->second.empty() || !what.fits(way->second.front())) {
      ++way;
      continue;
    }
    auto letters = std::move(way->second);
    way = held_.erase(way);
    travelling.push_back(std::move(letters.front()));
    letters.pop_front();
    // What was said behind it meets the rules only now.
    for (auto& letter : letters)
      for (auto& next : say(std::move(letter), *travelling.front().held_at_step)) travelling.push_back(std::move(next));
  }
  return travelling;
}

void network::forget(std::uint64_t link) {
  for (auto way = held_.begin(); way != held_.end();) {
    auto& letters = way->second;
    letters.erase(std::remove_if(letters.begin(), letters.end(), [&](const crossing& c) { return c.link == link; }),
                  letters.end());
    way = letters.empty() ? held_.erase(way) : std::next(way);
  }
}

bool network::meddles() const {
  return !standing_drops_.empty() || !unused().empty();
}

std::vector<std::string> network::unused() const {
  std::vector<std::string> left;
  const auto add = [&](const char* what, const std::list<letter_pattern>& rules) {
    for (const auto& rule : rules) left.push_back(std::string(what) + " " + written(rule.verb));
  };
  add("drop", drops_);
  add("hold", holds_);
  add("twice", duplicates_);
  for (const auto& [way, letters] : held_) left.push_back("a held " + written(letters.front().head.verb()));
  return left;
}

}  // namespace troupe::testing
