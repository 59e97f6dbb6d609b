#include "storage/journal.hpp"

#include "storage/journal_folder.hpp"
#include "storage/scan.hpp"
#include "storage/seal.hpp"

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <optional>
#include <string>
#include <utility>

namespace troupe {

using namespace journal_folder;  // NOLINT(google-build-using-namespace)

struct journal::parts {
  std::filesystem::path folder;
  std::unique_ptr<leveldb::Cache> cache;  // outlives the database
  std::unique_ptr<leveldb::DB> database;
  // LevelDB goes on after a write that failed half-way, and may then not read back what follows.
  std::optional<error> failure;

  error fail(const leveldb::Status& status) {
    failure = store_error(folder, status);
    return *failure;
  }
};

namespace {

std::string_view view_of(const leveldb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

leveldb::ReadOptions careful_read() {
  leveldb::ReadOptions read;
  read.verify_checksums = true;
  read.fill_cache = false;
  return read;
}

void show(const leveldb::Iterator& at, scanning::sorter& out) {
  const auto key = view_of(at.key());
  const auto sealed = view_of(at.value());
  if (const auto record = unseal(key, sealed)) {
    out.see(key, *record);
  } else {
    out.see_damaged(key, sealed);
  }
}

void visit(leveldb::Iterator& at, const scanning::ranges& wanted, scanning::sorter& out) {
  for (const auto& key : wanted.exactly) {
    at.Seek(key);
    if (at.Valid() && at.key() == key) show(at, out);
  }
  for (const auto& bytes : wanted.opening_with) {
    for (at.Seek(bytes); at.Valid() && scanning::opens_with(view_of(at.key()), bytes); at.Next()) {
      show(at, out);
    }
  }
}

void add(leveldb::WriteBatch& batch, const std::vector<edit>& edits) {
  for (const auto& e : edits) {
    if (e.record) {
      batch.Put(e.key, seal(e.key, *e.record));
    } else {
      batch.Delete(e.key);
    }
  }
}

leveldb::Status write(leveldb::DB& database, leveldb::WriteBatch& batch) {
  leveldb::WriteOptions durable;
  durable.sync = true;
  return database.Write(durable, &batch);
}

/// Reads every block once, so that damage at rest is met now, where it can be salvaged, and not by a compaction later.
leveldb::Status read_through(leveldb::DB& database) {
  const std::unique_ptr<leveldb::Iterator> at(database.NewIterator(careful_read()));
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
  }
  return at->status();
}

leveldb::Status open_and_check(const std::string& name, const leveldb::Options& how,
                               std::unique_ptr<leveldb::DB>& out) {
  leveldb::DB* database = nullptr;
  auto status = leveldb::DB::Open(how, name, &database);
  out.reset(database);
  if (status.ok()) status = read_through(*out);
  if (!status.ok()) out.reset();
  return status;
}

}  // namespace

journal::journal(std::unique_ptr<parts> p) : parts_(std::move(p)) {}
journal::~journal() = default;

result<std::unique_ptr<journal>> journal::open(const std::filesystem::path& folder, const options& o) {
  if (auto made = make(folder); !made) return made.error();

  auto p = std::make_unique<parts>();
  p->folder = folder;
  p->cache.reset(leveldb::NewLRUCache(o.block_cache_bytes));

  leveldb::Options how;
  how.create_if_missing = true;
  how.paranoid_checks = true;
  how.write_buffer_size = o.write_buffer_bytes;
  if (o.env != nullptr) how.env = o.env;
  how.block_cache = p->cache.get();

  // LevelDB would start an empty store over one that only lost its table of contents.
  auto status = lost_its_contents_table(folder) ? leveldb::Status::Corruption("CURRENT is missing")
                                                : open_and_check(folder.string(), how, p->database);
  if (status.IsCorruption()) {
    if (auto salvaged = salvage(folder, how, status); !salvaged) return salvaged.error();
    status = open_and_check(folder.string(), how, p->database);
  }
  if (!status.ok()) return open_error(folder, status);
  return std::unique_ptr<journal>(new journal(std::move(p)));
}

result<void> journal::commit(const std::vector<edit_batch>& group) {
  if (auto fit = scanning::check_sizes(group); !fit) return fit.error();
  if (parts_->failure) return *parts_->failure;
  leveldb::WriteBatch all;
  for (const auto& batch : group) add(all, *batch);
  if (const auto status = write(*parts_->database, all); !status.ok()) return parts_->fail(status);
  return {};
}

result<scan_result> journal::scan(std::string_view prefix) {
  if (parts_->failure) return *parts_->failure;
  scanning::sorter sorted;
  {
    const std::unique_ptr<leveldb::Iterator> at(parts_->database->NewIterator(careful_read()));
    visit(*at, scanning::ranges_of(prefix), sorted);
    if (!at->status().ok()) return parts_->fail(at->status());
  }
  if (const auto moves = sorted.moves(); !moves.empty()) {
    leveldb::WriteBatch batch;
    add(batch, moves);
    const auto status = write(*parts_->database, batch);
    if (!status.ok()) return parts_->fail(status);
  }
  auto found = sorted.take();
  if (auto loss = salvage_report(parts_->folder)) found.damaged.push_back({"", *loss});
  return found;
}

}  // namespace troupe
