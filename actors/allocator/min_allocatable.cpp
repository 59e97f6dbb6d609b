#include "actors/allocator/min_allocatable.hpp"

#include "protocol/mutant.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe {
namespace {

// Beyond this a minimum can be reached by no agent, and thousandths would not fit.
constexpr double amount_max = 9e15;

quantities amounts_of(const v1::OfferFilters::ResourceQuantities& message) {
  quantities amounts;
  for (const auto& [name, scalar] : message.quantities()) {
    const double value = std::isnan(scalar.value()) ? 0 : std::clamp(scalar.value(), 0.0, amount_max);
    amounts[name] = std::llround(value * 1000);
  }
  return amounts;
}

}  // namespace

min_allocatable::min_allocatable(const v1::OfferFilters::MinAllocatableResources& message) {
  for (const auto& alternative : message.quantities()) alternatives_.push_back(amounts_of(alternative));
}

result<min_allocatable> min_allocatable::parse(std::string_view text) {
  min_allocatable parsed;
  while (!text.empty()) {
    const std::size_t end = text.find('|');
    auto alternative = resources::parse(text.substr(0, end));
    if (!alternative) return invalid("min_allocatable: " + alternative.error().message);
    parsed.alternatives_.push_back(alternative->amounts());
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parsed;
}

min_allocatable min_allocatable::standard() {
  min_allocatable both;
  both.alternatives_ = {{{"cpus", 10}}, {{"mem", 32'000}}};
  return both;
}

bool min_allocatable::reached_by(const quantities& amounts) const {
  const auto enough = [&](const quantities& least) {
    return std::all_of(least.begin(), least.end(), [&](const auto& one) {
      const auto found = amounts.find(one.first);
      return (found == amounts.end() ? 0 : found->second) >= one.second;
    });
  };
  if (mutated(mutant::every_minimum_needed)) return std::all_of(alternatives_.begin(), alternatives_.end(), enough);
  return alternatives_.empty() || std::any_of(alternatives_.begin(), alternatives_.end(), enough);
}

}  // namespace troupe
