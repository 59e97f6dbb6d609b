#include "protocol/mutant.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <set>
#include <string>

namespace troupe {

#ifndef TROUPE_MUTANTS
static_assert(!mutated(mutant::agent_ids_repeat), "no mutant is in what users run");
#endif

TEST_CASE("each mutant is found by its name, and no other name is one") {
  for (const auto& one : all_mutants) {
    CHECK(mutant_name(one.which) == one.name);
    CHECK(mutant_named(one.name) == one.which);
  }
  CHECK(mutant_named("none") == mutant::none);
  CHECK(mutant_name(mutant::none) == "none");
  CHECK_FALSE(mutant_named("").has_value());
  CHECK_FALSE(mutant_named("agent_ids").has_value());
}

TEST_CASE("at most the selected mutant is on, and none is to begin with") {
  for (const auto& one : all_mutants) CHECK_FALSE(mutated(one.which));
#ifdef TROUPE_MUTANTS
  select_mutant(mutant::agent_ids_repeat);
  for (const auto& one : all_mutants) CHECK(mutated(one.which) == (one.which == mutant::agent_ids_repeat));
  select_mutant(mutant::none);
#endif
}

TEST_CASE("docs/mutants.md has a line for each mutant, and for nothing else") {
  std::ifstream in("docs/mutants.md");
  std::multiset<std::string> documented;
  std::string line;
  while (std::getline(in, line))
    if (line.rfind("| `", 0) == 0) documented.insert(line.substr(3, line.find('`', 3) - 3));
  for (const auto& one : all_mutants) {
    INFO(one.name << " has not one line");
    CHECK(documented.count(std::string(one.name)) == 1);
  }
  for (const auto& name : documented) {
    INFO(name << " is no mutant");
    CHECK(mutant_named(name).has_value());
  }
}

}  // namespace troupe
