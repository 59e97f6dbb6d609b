#pragma once

#include "protocol/error.hpp"
#include "storage/journal_snapshot.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// LevelDB's files looked at one by one, further than LevelDB itself looks: it stops at the first damage and does not
/// say where it is. The formats are those of its doc/log_format.md and doc/table_format.md.
namespace troupe::journal_files {

/// Something wrong with a file.
struct fault {
  std::string file;  ///< name in the folder
  std::string what;  ///< a sentence for a person
};

/// What a log or a MANIFEST holds.
struct log_contents {
  std::vector<std::string> records;  ///< the sound ones
  std::vector<std::string> faults;   ///< a sentence each, naming the byte
  /// It ends within a record: a write that a crash or the end of the disk tore, one that is under way, or a file that
  /// was cut off.
  std::optional<std::string> torn;
};
log_contents read_log(std::string_view bytes);

struct table {
  std::uint64_t bytes = 0;
  std::string smallest, largest;  ///< keys
};

/// What a MANIFEST says of the files.
struct version {
  std::uint64_t first_log = 0;
  std::map<std::uint64_t, table> tables;  ///< by number
};
/// From the MANIFEST's records. Errors: corrupt.
result<version> read_version(const std::vector<std::string>& edits);

/// Every fault of a snapshot's files, the MANIFEST first; not only the first one.
std::vector<fault> check(const journal_snapshot& snapshot);

}  // namespace troupe::journal_files
