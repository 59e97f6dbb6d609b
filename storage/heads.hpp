#pragma once

#include "storage/records.hpp"
#include "troupe/internal/records.pb.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Counts the records of each owner (the first component of their keys: `agent`, `master`, …), so that a journal which
/// lost some notices, whatever made them go. What it counts is kept in the head record, under keys::head(), which is
/// written with every group of edits: it is the newest record of a journal, and so never older than what it counts.
///
/// Beside their number it keeps the sum of the records' seals: a record that is an older one than was committed last
/// changes that. The head record itself and quarantine are not counted. Holds each key in memory.
class record_counts {
 public:
  /// A record was put under `key`, sealed as stored (storage/seal.hpp).
  void put(std::string_view key, std::string_view sealed);
  void erase(std::string_view key);

  internal::HeadRecord head() const;

  /// Each owner that has not what `head` counts; all of them where there is no head. `unsound`: keys whose records
  /// cannot be read. They are reported by name already, and explain what they can.
  std::vector<internal::LossRecord> losses(const std::optional<internal::HeadRecord>& head,
                                           const std::vector<std::string>& unsound) const;

 private:
  struct tally {
    std::uint64_t records = 0;
    std::uint64_t seals = 0;  ///< sum, modulo 2^64
  };

  std::unordered_map<std::string, std::uint32_t> seals_;  // by key
  std::map<std::string, tally, std::less<>> owners_;
};

/// What a look at all records of a journal finds.
struct inventory {
  record_counts counts;
  std::vector<std::string> unsound;          ///< keys
  std::optional<internal::HeadRecord> head;  ///< where it is there and sound
  std::optional<std::string> damaged_head;   ///< its bytes
  std::optional<std::string> newer;          ///< the key of a record of a newer release
  unsigned newest_version = 0;               ///< of the records that lie where they were put

  void see(std::string_view key, std::string_view sealed);
  std::vector<internal::LossRecord> losses() const { return counts.losses(head, unsound); }
};

/// A sentence for a person.
std::string describe(const internal::LossRecord& loss);

}  // namespace troupe
