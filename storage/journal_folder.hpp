#pragma once

#include "protocol/error.hpp"

#include <leveldb/options.h>
#include <leveldb/status.h>

#include <filesystem>
#include <optional>
#include <string>

/// What the journal has to do with its folder besides reading and writing records; for journal.cpp only.
namespace troupe::journal_folder {

/// Makes the folder and its parents where they are missing, for this user alone, and durably.
/// Errors: invalid_argument (it or a parent is no directory), exhausted (disk full), io.
result<void> make(const std::filesystem::path& folder);

/// Whether LevelDB gives its data files such names: CURRENT, MANIFEST-000001, 000003.log, 000005.ldb.
bool is_data_file(const std::string& name);

/// Whether there are LevelDB data files but no CURRENT, which names their table of contents.
bool lost_its_contents_table(const std::filesystem::path& folder);

/// Rebuilds the store from the blocks that can be read; LevelDB moves the files it took apart to `folder`/lost.
/// `why` is what was found. Errors: unavailable (in use), corrupt (with the remedy).
result<void> salvage(const std::filesystem::path& folder, const leveldb::Options& how, const leveldb::Status& why);

/// A sentence about an earlier salvage, for as long as `folder`/lost holds files.
std::optional<std::string> salvage_report(const std::filesystem::path& folder);

/// The process that has the journal open, other than this one, for a person; empty if none has. Looks, touches nothing.
std::string holder(const std::filesystem::path& folder);

/// The journal was written by a newer release: its record of `key` has that version.
error newer_error(const std::filesystem::path& folder, const std::string& key, unsigned version);

/// A failed open as an error; names the process that holds the store.
error open_error(const std::filesystem::path& folder, const leveldb::Status& status);

/// The folder is no longer where it was opened.
error removed_error(const std::filesystem::path& folder);

/// A failed read or write as an error.
error store_error(const std::filesystem::path& folder, const leveldb::Status& status);

}  // namespace troupe::journal_folder
