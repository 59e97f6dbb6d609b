#include "actors/allocator/tally.hpp"

namespace troupe {

void tally::add(const quantities& amounts) {
  for (const auto& [name, amount] : amounts) change(name, amount);
}

void tally::subtract(const quantities& amounts) {
  for (const auto& [name, amount] : amounts) change(name, -static_cast<wide>(amount));
}

void tally::change(const std::string& name, wide by) {
  if (by == 0) return;
  auto [entry, fresh] = sums_.try_emplace(name, 0);
  entry->second += by;
  if (entry->second == 0) sums_.erase(entry);
}

}  // namespace troupe
