#pragma once

#include "protocol/error.hpp"
#include "storage/records.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The edits of one step. Shared, since they wait in mailboxes and queues.
using edit_batch = std::shared_ptr<const std::vector<edit>>;

/// A record as it was found: sound, but not parsed.
struct stored_record {
  std::string key;
  std::string record;  ///< as encode_record gave it
};

/// Something that was stored and cannot be read any more, or is missing.
struct damage {
  std::string key;   ///< or the path below which records are missing; empty where the store cannot tell
  std::string what;  ///< a sentence for a person: what is wrong, and where the damaged bytes are now
};

struct scan_result {
  std::vector<stored_record> records;  ///< in the order of their keys; nothing from quarantine
  std::vector<damage> damaged;         ///< found now or still in quarantine from earlier; not among `records`
};

/// What a shell's edits are committed to. Not thread-safe: one thread at a time.
class journal_store {
 public:
  virtual ~journal_store() = default;

  /// Makes the edits of all batches durable, in order and as one: after a crash either all of them are there or none.
  /// After an error the outcome is unknown, and only a store that was opened anew can be trusted. Errors: exhausted
  /// (disk full, record over record_bytes_max), io (also when the store was removed meanwhile), corrupt.
  virtual result<void> commit(const std::vector<edit_batch>& group) = 0;

  /// So much may be merged into one commit; a single batch that is larger is committed alone, if it can be.
  virtual std::size_t commit_bytes_max() const { return std::size_t{4} << 20; }

  /// All records under a prefix, in the sense of keys::under. Damaged ones are moved to keys::quarantine(key) and
  /// reported, by this scan and by later ones, until somebody erases them there. Errors: io, corrupt; a damaged record
  /// is not an error.
  virtual result<scan_result> scan(std::string_view prefix) = 0;
};

}  // namespace troupe
