#include "protocol/verbs.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <set>
#include <string>

namespace troupe {

namespace {

/// What stands between the first pair of backquotes of each line of the catalogue.
std::set<std::string> names_in_catalogue() {
  std::ifstream in("protocol/README.md");
  std::set<std::string> names;
  std::string line;
  while (std::getline(in, line) && line != "## The catalogue") continue;
  while (std::getline(in, line)) {
    if (line.rfind("| `", 0) == 0) names.insert(line.substr(3, line.find('`', 3) - 3));
  }
  return names;
}

std::string name_in_catalogue(std::string_view full_name) {
  for (std::string_view package : {"troupe.internal.", "troupe.v1."}) {
    if (full_name.substr(0, package.size()) == package) return std::string(full_name.substr(package.size()));
  }
  return std::string(full_name);
}

}  // namespace

TEST_CASE("the catalogue in protocol/README.md has a line for each verb, and for nothing else") {
  std::set<std::string> verbs;
  for (const auto& verb : all_verbs()) verbs.insert(name_in_catalogue(verb.name));
  const auto catalogue = names_in_catalogue();
  for (const auto& verb : verbs) {
    INFO(verb << " has no line");
    CHECK(catalogue.count(verb) == 1);
  }
  for (const auto& name : catalogue) {
    INFO(name << " is no verb");
    CHECK(verbs.count(name) == 1);
  }
}

}  // namespace troupe
