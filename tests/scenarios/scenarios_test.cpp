#include "protocol/verbs.hpp"
#include "tests/scenarios/letter_text.hpp"
#include "tests/scenarios/player.hpp"
#include "tests/scenarios/script.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace troupe;
using namespace troupe::testing;

namespace {

/// Where the files lie; set by CMakeLists.txt.
const std::vector<scenario>& all_scenarios() {
  static const auto all = read_folder(TROUPE_SCENARIOS);
  return all;
}

bool crosses_links(std::uint32_t verb) {
  for (int from = internal::Role_MIN; from <= internal::Role_MAX; ++from)
    for (int to = internal::Role_MIN; to <= internal::Role_MAX; ++to)
      if (may_cross_link(static_cast<Role>(from), static_cast<Role>(to), verb)) return true;
  return false;
}

std::string told(const std::vector<std::string>& transcript) {
  std::string text = "\nWhat happened:\n";
  for (const auto& line : transcript) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("every scenario goes as it is told", "[scenarios]") {
  for (const auto& each : all_scenarios()) {
    DYNAMIC_SECTION(each.file << ": " << each.sentence) {
      player played(each);
      std::string failure;
      try {
        played.play();
      } catch (const std::exception& failed) {
        failure = failed.what() + told(played.transcript());
      }
      if (!failure.empty()) FAIL(failure);
      SUCCEED();
    }
  }
}

TEST_CASE("a scenario goes the same way each time", "[scenarios]") {
  for (const auto& each : all_scenarios()) {
    player first(each), second(each);
    first.play();
    second.play();
    if (first.transcript() != second.transcript()) FAIL(each.file + ": " + each.sentence);
  }
  SUCCEED();
}

// What the runner has found untrue is found out by the first test: a claim counts only in a scenario that goes well.
TEST_CASE("some scenario shows every verb that crosses a link twice, late and never", "[scenarios]") {
  std::set<std::pair<std::uint32_t, mishap>> shown;
  for (const auto& each : all_scenarios())
    for (const auto& claim : each.covers) shown.emplace(claim.verb, claim.what);
  std::string missing;
  for (const auto& verb : all_verbs()) {
    if (!crosses_links(verb.number)) continue;
    for (auto what : {mishap::twice, mishap::late, mishap::never})
      if (shown.count({verb.number, what}) == 0) missing += "\n  covers " + written(verb.number) + " " + name_of(what);
  }
  if (!missing.empty()) FAIL("no scenario has these rows:" + missing);
  SUCCEED();
}
