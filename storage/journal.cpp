#include "storage/journal.hpp"

#include "storage/heads.hpp"
#include "storage/journal_disk.hpp"
#include "storage/journal_folder.hpp"
#include "storage/journal_snapshot.hpp"
#include "storage/keys.hpp"
#include "storage/scan.hpp"
#include "storage/seal.hpp"

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>
#include <sys/stat.h>

#include <optional>
#include <string>
#include <utility>

namespace troupe {

using namespace journal_folder;  // NOLINT(google-build-using-namespace)

namespace {

/// Tells a file from another of its name.
using file_identity = std::pair<dev_t, ino_t>;

std::optional<file_identity> identify(const std::filesystem::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return std::nullopt;
  return file_identity{info.st_dev, info.st_ino};
}

}  // namespace

struct journal::parts {
  std::filesystem::path folder;
  std::unique_ptr<journal_disk> own_disk;  // where no other was given
  std::unique_ptr<lasting_names> files;    // both outlive the database
  std::unique_ptr<leveldb::Cache> cache;   // and so does this
  std::unique_ptr<leveldb::DB> database;
  record_counts counts;
  std::optional<file_identity> contents;  // of CURRENT, which stays the same file while a database is open
  // LevelDB goes on after a write that failed half-way, and may then not read back what follows.
  std::optional<error> failure;

  error fail(const leveldb::Status& status) {
    failure = store_error(folder, status);
    return *failure;
  }

  /// What is written to files that have lost their names is gone with us. No write would say so.
  bool is_in_place() {
    if (identify(folder / "CURRENT") == contents) return true;
    failure = removed_error(folder);
    return false;
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
  if (key == keys::head()) return;
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

void add(leveldb::WriteBatch& batch, const std::vector<edit>& edits, record_counts& counts) {
  for (const auto& e : edits) {
    if (e.record) {
      const auto sealed = seal(e.key, *e.record);
      counts.put(e.key, sealed);
      batch.Put(e.key, sealed);
    } else {
      counts.erase(e.key);
      batch.Delete(e.key);
    }
  }
}

void add_head(leveldb::WriteBatch& batch, const record_counts& counts) {
  const std::string key(keys::head());
  batch.Put(key, seal(key, encode_record(counts.head())));
}

leveldb::Status write(leveldb::DB& database, leveldb::WriteBatch& batch) {
  leveldb::WriteOptions durable;
  durable.sync = true;
  return database.Write(durable, &batch);
}

/// Reads every block once, so that damage at rest is met now, where it can be salvaged, and not by a compaction later.
leveldb::Status read_through(leveldb::DB& database, inventory& all) {
  const std::unique_ptr<leveldb::Iterator> at(database.NewIterator(careful_read()));
  for (at->SeekToFirst(); at->Valid(); at->Next()) all.see(view_of(at->key()), view_of(at->value()));
  return at->status();
}

leveldb::Status open_and_check(const std::string& name, const leveldb::Options& how, std::unique_ptr<leveldb::DB>& out,
                               inventory& all) {
  leveldb::DB* database = nullptr;
  auto status = leveldb::DB::Open(how, name, &database);
  out.reset(database);
  all = {};
  if (status.ok()) status = read_through(*out, all);
  if (!status.ok()) out.reset();
  return status;
}

/// Notes what is missing, and counts anew from what is there.
leveldb::Status note_losses(leveldb::DB& database, inventory& all) {
  const auto losses = all.losses();
  if (losses.empty() && !all.damaged_head) return leveldb::Status::OK();
  std::vector<edit> notes;
  for (const auto& loss : losses) notes.push_back(put(keys::loss(loss.owner()), loss));
  if (all.damaged_head) notes.push_back({keys::quarantine(keys::head()), *all.damaged_head});
  leveldb::WriteBatch batch;
  add(batch, notes, all.counts);
  add_head(batch, all.counts);
  return write(database, batch);
}

/// Asked before LevelDB has the folder, since it rearranges files whenever it opens them. The head record is written
/// with every commit, so it is of the newest version of all. What cannot be read like this is looked at later.
std::optional<error> written_by_newer_release(const std::filesystem::path& folder) {
  const auto snapshot = journal_snapshot::take(folder);
  if (!snapshot) return std::nullopt;
  snapshot_env env(*snapshot);
  leveldb::Options how;
  how.env = &env;
  leveldb::DB* opened = nullptr;
  const bool open = leveldb::DB::Open(how, env.folder(), &opened).ok();
  const std::unique_ptr<leveldb::DB> database(opened);
  const std::string key(keys::head());
  std::string sealed;
  if (!open || !database->Get(careful_read(), key, &sealed).ok()) return std::nullopt;
  const auto head = unseal(key, sealed);
  if (!head || version_of(*head) <= record_version) return std::nullopt;
  return newer_error(folder, key, version_of(*head));
}

}  // namespace

journal::journal(std::unique_ptr<parts> p) : parts_(std::move(p)) {}
journal::~journal() = default;

result<std::unique_ptr<journal>> journal::open(const std::filesystem::path& folder, const options& o) {
  if (auto made = make(folder); !made) return made.error();
  if (auto newer = written_by_newer_release(folder)) return *newer;

  auto p = std::make_unique<parts>();
  p->folder = folder;
  if (o.disk == nullptr) p->own_disk = std::make_unique<journal_disk>();
  p->files = std::make_unique<lasting_names>(o.disk == nullptr ? *p->own_disk : *o.disk);
  p->cache.reset(leveldb::NewLRUCache(o.block_cache_bytes));

  leveldb::Options how;
  how.create_if_missing = true;
  how.paranoid_checks = true;
  how.write_buffer_size = o.write_buffer_bytes;
  how.env = p->files.get();
  how.block_cache = p->cache.get();

  inventory all;
  // LevelDB would start an empty store over one that only lost its table of contents.
  auto status = lost_its_contents_table(folder) ? leveldb::Status::Corruption("CURRENT is missing")
                                                : open_and_check(folder.string(), how, p->database, all);
  if (status.IsCorruption()) {
    if (auto salvaged = salvage(folder, how, status); !salvaged) return salvaged.error();
    status = open_and_check(folder.string(), how, p->database, all);
  }
  if (status.ok() && all.newer) return newer_error(folder, *all.newer, all.newest_version);
  if (status.ok()) status = note_losses(*p->database, all);
  if (!status.ok()) return open_error(folder, status);
  p->counts = std::move(all.counts);
  p->contents = identify(folder / "CURRENT");
  return std::unique_ptr<journal>(new journal(std::move(p)));
}

result<void> journal::commit(const std::vector<edit_batch>& group) {
  if (auto fit = scanning::check_sizes(group); !fit) return fit.error();
  if (parts_->failure) return *parts_->failure;
  leveldb::WriteBatch all;
  for (const auto& batch : group) add(all, *batch, parts_->counts);
  if (!group.empty()) add_head(all, parts_->counts);
  if (const auto status = write(*parts_->database, all); !status.ok()) return parts_->fail(status);
  if (!parts_->is_in_place()) return *parts_->failure;
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
    add(batch, moves, parts_->counts);
    add_head(batch, parts_->counts);
    const auto status = write(*parts_->database, batch);
    if (!status.ok()) return parts_->fail(status);
  }
  auto found = sorted.take();
  if (auto loss = salvage_report(parts_->folder)) found.damaged.push_back({"", *loss});
  return found;
}

}  // namespace troupe
