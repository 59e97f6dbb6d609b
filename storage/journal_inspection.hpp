#pragma once

#include "protocol/error.hpp"
#include "storage/records.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// One record as it lies in a journal, the head record and those in quarantine among them.
struct inspected_record {
  std::string key;
  std::string record;                  ///< as encode_record gave it, where nothing is wrong with it
  std::optional<std::string> problem;  ///< a sentence for a person: damaged, of a newer release, not of its type

  std::size_t bytes() const { return record.size(); }
  /// Of the record's format; 0 for an empty one.
  unsigned version() const { return version_of(record); }
};

/// What is wrong with a journal.
struct journal_finding {
  enum class kind { file, record, count, earlier };  ///< earlier: found before, and still reported by its daemon
  kind is;
  std::string where;  ///< a file's name, a key, or the path below which records are missing
  std::string what;   ///< sentences for a person
};

const char* to_string(journal_finding::kind kind);

/// A journal as it is, read without its daemon and without touching its files.
struct journal_inspection {
  std::filesystem::path folder;           ///< LevelDB's
  std::string holder;                     ///< the process that has it open, for a person; empty if none has
  std::vector<inspected_record> records;  ///< in the order of their keys
  std::vector<journal_finding> findings;  ///< everything that is wrong; empty if nothing is

  const inspected_record* find(const std::string& key) const;
};

/// `path` is the work folder of a master or agent, a framework's state folder, or LevelDB's folder itself. What is
/// guaranteed while a daemon is at work there: see journal_snapshot. Where LevelDB cannot open the files, the records
/// are those that could be salvaged. Errors: not_found (no such folder), invalid_argument (no journal there, or of a
/// newer format than this release reads), unavailable (it changes too fast to be read), io.
result<journal_inspection> inspect_journal(const std::filesystem::path& path);

}  // namespace troupe
