#pragma once

#include <leveldb/options.h>
#include <leveldb/status.h>

#include <string>

namespace troupe {

/// leveldb::RepairDB, so that it can be cut off at any point and begun again: files it took apart are moved to
/// `folder`/lost only once what was read from them is durable, and from the first step to the last there is no CURRENT
/// (journal_folder::lost_its_contents_table), so that nobody takes half of it for the whole. A write that fails makes
/// it fail; RepairDB itself would go on without what it could not write. `why` is kept in `folder`/lost/REASON, so that
/// the damage is known from the first step on. Whoever calls holds the lock.
leveldb::Status repair(const std::string& folder, const leveldb::Options& how, const leveldb::Status& why);

}  // namespace troupe
