#include "actors/allocator/allocator_options.hpp"

#include "actors/allocator/allocation_policy.hpp"
#include "actors/allocator/fair_policy.hpp"

namespace troupe {

internal::AllocatorOptions options_message(const allocator_options& options) {
  // All members by name: one that is added is missed here by the compiler.
  const auto& [allocation_interval, minimum, hide_gpu_agents, policy] = options;
  internal::AllocatorOptions kept;
  kept.set_allocation_interval_ns(allocation_interval.count());
  for (const auto& amounts : minimum.alternatives()) {
    auto* alternative = kept.add_minimum();
    for (const auto& [name, thousandths] : amounts) {
      auto* amount = alternative->add_amounts();
      amount->set_name(name);
      amount->set_thousandths(thousandths);
    }
  }
  kept.set_hide_gpu_agents(hide_gpu_agents);
  if (policy) kept.set_policy(std::string(policy->name()));
  return kept;
}

result<allocator_options> options_from(const internal::AllocatorOptions& kept) {
  allocator_options options;
  options.allocation_interval = std::chrono::nanoseconds(kept.allocation_interval_ns());
  std::vector<quantities> alternatives;
  for (const auto& alternative : kept.minimum()) {
    auto& amounts = alternatives.emplace_back();
    for (const auto& amount : alternative.amounts()) amounts[amount.name()] = amount.thousandths();
  }
  options.minimum = min_allocatable(std::move(alternatives));
  options.hide_gpu_agents = kept.hide_gpu_agents();
  if (kept.has_policy() && kept.policy() != fair_policy().name())
    return invalid("the allocation policy '" + kept.policy() + "' is not one of this program; it has 'fair'");
  return options;
}

}  // namespace troupe
