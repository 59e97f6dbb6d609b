#include "storage/memory_store.hpp"

#include "storage/scan.hpp"

namespace troupe {

void memory_store::apply(const std::vector<edit>& edits) {
  for (const auto& e : edits) {
    if (e.record) {
      records_.insert_or_assign(e.key, *e.record);
    } else {
      records_.erase(e.key);
    }
  }
}

result<void> memory_store::commit(const std::vector<edit_batch>& group) {
  if (auto fit = scanning::check_sizes(group); !fit) return fit.error();
  for (const auto& batch : group) apply(*batch);
  return {};
}

result<scan_result> memory_store::scan(std::string_view prefix) {
  scanning::sorter sorted;
  const auto wanted = scanning::ranges_of(prefix);
  for (const auto& key : wanted.exactly) {
    if (const auto at = records_.find(key); at != records_.end()) sorted.see(at->first, at->second);
  }
  for (const auto& bytes : wanted.opening_with) {
    for (auto at = records_.lower_bound(bytes); at != records_.end() && scanning::opens_with(at->first, bytes); ++at) {
      sorted.see(at->first, at->second);
    }
  }
  apply(sorted.moves());
  return sorted.take();
}

}  // namespace troupe
