#include "actors/master/id_mint.hpp"

#include "protocol/mutant.hpp"

namespace troupe {

std::string id_mint::reign() const {
  return cluster_ + "-" + std::to_string(epoch_);
}

agent_id id_mint::next_agent() {
  return agent_id((mutated(mutant::agent_ids_repeat) ? cluster_ : reign()) + "-S" + std::to_string(next_.agents++));
}

framework_id id_mint::next_framework() {
  auto number = std::to_string(next_.frameworks++);
  if (number.size() < 4) number.insert(0, 4 - number.size(), '0');
  return framework_id(reign() + "-" + number);
}

offer_id id_mint::next_offer() {
  return offer_id(reign() + "-O" + std::to_string(next_.offers++));
}

}  // namespace troupe
