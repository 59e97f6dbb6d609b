#pragma once

#include "protocol/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace troupe::wordcount {

/// How often each word occurs. Words are runs of [A-Za-z], in lower case.
class word_counts {
 public:
  void add_text(std::string_view text);
  /// Reads a file and counts its words. Errors: io.
  result<void> add_file(const std::string& path);
  /// Adds what text() gave. Errors: corrupt, naming the line.
  result<void> add_counts(std::string_view lines);

  std::uint64_t total() const { return total_; }
  const std::unordered_map<std::string, std::uint64_t>& counts() const { return counts_; }

  /// The words that belong to one of `of` partitions.
  word_counts part(unsigned partition, unsigned of) const;

  /// `word count\n` for each word, in byte order.
  std::string text() const;

 private:
  std::unordered_map<std::string, std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

/// Which partition a word belongs to: the same in every process (FNV-1a, 32 bits).
unsigned partition_of(std::string_view word, unsigned partitions);

}  // namespace troupe::wordcount
