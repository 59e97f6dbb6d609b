#pragma once

#include "storage/journal_store.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A store that lasts as long as the object: for tests, and for frameworks without a folder. It damages nothing but
/// reports what is damaged as a journal does.
class memory_store final : public journal_store {
 public:
  result<void> commit(const std::vector<edit_batch>& group) override;
  result<scan_result> scan(std::string_view prefix) override;

 private:
  void apply(const std::vector<edit>& edits);

  std::map<std::string, std::string, std::less<>> records_;
};

}  // namespace troupe
