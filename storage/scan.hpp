#pragma once

#include "storage/journal_store.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What all stores do alike when they scan; for their implementations only.
namespace troupe::scanning {

/// Sorts what a scan comes across into sound records, damaged ones and those already in quarantine.
class sorter {
 public:
  void see(std::string_view key, std::string_view record);
  /// What the store itself knows not to be what was put under this key.
  void see_damaged(std::string_view key, std::string_view bytes);

  /// The edits that move the damaged records seen to quarantine; to be committed before the result is handed out.
  std::vector<edit> moves() const;
  scan_result take() { return std::move(found_); }

 private:
  void report(std::string_view key, std::string why);
  void damaged(std::string_view key, std::string_view bytes, std::string why);

  scan_result found_;
  std::vector<stored_record> to_move_;
};

/// The ranges of keys that a scan of one prefix reads, in this order.
struct ranges {
  std::vector<std::string> exactly;       ///< these keys, where they exist
  std::vector<std::string> opening_with;  ///< and all keys that open with these bytes
};
ranges ranges_of(std::string_view prefix);

bool opens_with(std::string_view text, std::string_view bytes);

/// Errors: exhausted, for a record over record_bytes_max.
result<void> check_sizes(const std::vector<edit_batch>& group);

}  // namespace troupe::scanning
