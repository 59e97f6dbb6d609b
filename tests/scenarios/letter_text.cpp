#include "tests/scenarios/letter_text.hpp"

#include "protocol/verbs.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe::testing {

namespace {

bool ends_with_part(std::string_view whole, std::string_view tail) {
  if (whole == tail) return true;
  return whole.size() > tail.size() && whole.substr(whole.size() - tail.size()) == tail &&
         whole[whole.size() - tail.size() - 1] == '.';
}

bool same_value(const std::string& value, const std::string& asked,
                const std::function<std::string(const std::string&)>& id_of) {
  if (value == asked || value == "REASON_" + asked) return true;
  const auto id = id_of(asked);
  return !id.empty() && value == id;
}

}  // namespace

std::uint32_t verb_written(std::string_view tail) {
  std::vector<verb_info> meant;
  for (const auto& verb : all_verbs()) {
    if (written(verb.number) == tail) return verb.number;
    if (ends_with_part(written(verb.number), tail)) meant.push_back(verb);
  }
  if (meant.size() == 1) return meant.front().number;
  std::string names;
  for (const auto& verb : meant) names += (names.empty() ? "" : ", ") + written(verb.number);
  throw std::invalid_argument("'" + std::string(tail) + "' " +
                              (meant.empty() ? std::string("is no verb of protocol/verbs.hpp")
                                             : "could be any of " + names + "; write more of it"));
}

bool fits(const std::string& word, const std::vector<leaf>& leaves,
          const std::function<std::string(const std::string&)>& id_of) {
  if (word.size() >= 2 && word.front() == '"') {
    const auto text = word.substr(1, word.size() - 2);
    return std::any_of(leaves.begin(), leaves.end(),
                       [&](const leaf& l) { return l.second.find(text) != std::string::npos; });
  }
  const auto equals = word.find('=');
  const auto field = equals == std::string::npos ? std::string() : word.substr(0, equals);
  const auto value = equals == std::string::npos ? word : word.substr(equals + 1);
  return std::any_of(leaves.begin(), leaves.end(), [&](const leaf& l) {
    if (!field.empty() && !ends_with_part(l.first, field) && !ends_with_part(l.first, field + ".value")) return false;
    return same_value(l.second, value, id_of);
  });
}

}  // namespace troupe::testing
