#include "storage/journal_inspection.hpp"

#include "storage/heads.hpp"
#include "storage/journal_files.hpp"
#include "storage/journal_folder.hpp"
#include "storage/journal_snapshot.hpp"
#include "storage/keys.hpp"
#include "storage/record_types.hpp"
#include "storage/seal.hpp"

#include <leveldb/db.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace troupe {

namespace {

namespace fs = std::filesystem;

bool holds_a_journal(const fs::path& folder) {
  std::error_code ignored;
  for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored))
    if (journal_folder::is_data_file(at->path().filename().string())) return true;
  return false;
}

result<fs::path> locate(const fs::path& path) {
  std::error_code failed;
  const auto status = fs::status(path, failed);
  if (status.type() == fs::file_type::not_found) return error{errc::not_found, "There is no " + path.string() + "."};
  if (failed) return error{errc::io, "Cannot read " + path.string() + ": " + failed.message() + "."};
  if (!fs::is_directory(status)) return invalid(path.string() + " is not a folder; give a daemon's work folder.");
  fs::directory_iterator readable(path, failed);
  if (failed) return error{errc::io, "Cannot read " + path.string() + ": " + failed.message() + "."};
  if (holds_a_journal(path / "journal")) return path / "journal";
  if (holds_a_journal(path)) return path;
  for (const auto* daemon : {"master", "agent"})
    if (holds_a_journal(path / daemon / "journal"))
      return invalid(path.string() + " holds several daemons; give one of them, for instance " +
                     (path / daemon).string() + ".");
  return invalid(path.string() +
                 " holds no journal: there is neither a CURRENT nor a log or table of LevelDB in it or in its folder "
                 "`journal`. Give the work folder of a master or agent, or a framework's state folder.");
}

std::string text_of(const leveldb::Slice& slice) {
  return slice.ToString();
}

struct raw_record {
  std::string key, sealed;
};

leveldb::Status read_all(leveldb::DB& database, std::vector<raw_record>& out) {
  leveldb::ReadOptions careful;
  careful.verify_checksums = true;
  careful.fill_cache = false;
  out.clear();
  const std::unique_ptr<leveldb::Iterator> at(database.NewIterator(careful));
  for (at->SeekToFirst(); at->Valid(); at->Next()) out.push_back({text_of(at->key()), text_of(at->value())});
  return at->status();
}

leveldb::Status open_and_read(snapshot_env& env, std::vector<raw_record>& out) {
  leveldb::Options how;
  how.paranoid_checks = true;
  how.env = &env;
  leveldb::DB* opened = nullptr;
  const auto status = leveldb::DB::Open(how, env.folder(), &opened);
  const std::unique_ptr<leveldb::DB> database(opened);
  return status.ok() ? read_all(*database, out) : status;
}

leveldb::Status salvage_and_read(const journal_snapshot& snapshot, std::vector<raw_record>& out) {
  snapshot_env env(snapshot);  // anew: the failed open may have changed its own
  leveldb::Options how;
  how.paranoid_checks = true;
  how.env = &env;
  const auto repaired = leveldb::RepairDB(env.folder(), how);
  return repaired.ok() ? open_and_read(env, out) : repaired;
}

class inspector {
 public:
  explicit inspector(journal_snapshot snapshot) : snapshot_(std::move(snapshot)) {
    out_.folder = snapshot_.folder;
    out_.holder = snapshot_.holder;
  }

  result<journal_inspection> run() {
    for (auto& each : journal_files::check(snapshot_)) find(journal_finding::kind::file, each.file, each.what);
    if (const auto report = journal_folder::salvage_report(snapshot_.folder))
      find(journal_finding::kind::earlier, "lost", *report);
    std::vector<raw_record> raw;
    read(raw);
    for (auto& each : raw) see(each);
    if (unreadable_versions_ > 0 && unreadable_versions_ == out_.records.size()) return newer_format();
    for (const auto& loss : all_.losses()) find(journal_finding::kind::count, loss.owner(), describe(loss));
    if (all_.damaged_head) find(journal_finding::kind::record, std::string(keys::head()), "It is damaged.");
    return std::move(out_);
  }

 private:
  void find(journal_finding::kind is, std::string where, std::string what) {
    out_.findings.push_back({is, std::move(where), std::move(what)});
  }

  void read(std::vector<raw_record>& raw) {
    snapshot_env env(snapshot_);
    const auto status = open_and_read(env, raw);
    if (status.ok()) return;
    const auto salvaged = salvage_and_read(snapshot_, raw);
    find(journal_finding::kind::file, "all files",
         "LevelDB refuses them (" + status.ToString() + "). " +
             (salvaged.ok() ? "The records are what a daemon would salvage when it starts."
                            : "Nothing can be salvaged: " + salvaged.ToString() + "."));
  }

  void see(raw_record& raw) {
    all_.see(raw.key, raw.sealed);
    auto& record = out_.records.emplace_back();
    record.key = std::move(raw.key);
    const auto unsealed = unseal(record.key, raw.sealed);
    record.record = unsealed ? std::string(*unsealed) : std::move(raw.sealed);
    if (keys::under(record.key, keys::quarantine_root)) return see_quarantined(record);
    if (!unsealed) {
      record.problem = "The record is not the one that was put under this key.";
    } else if (auto sound = check_record(record.record); !sound) {
      record.problem = sound.error().message;
      unreadable_versions_ += record.version() > record_version ? 1 : 0;
    } else if (const auto message = record_type(record.key)) {
      if (auto decoded = decode_record(record.record, *message); !decoded) record.problem = decoded.error().message;
    }
    if (record.problem && record.key != keys::head()) find(journal_finding::kind::record, record.key, *record.problem);
  }

  /// Damage that the daemon knows of.
  void see_quarantined(inspected_record& record) {
    internal::LossRecord loss;
    if (record_type(record.key) && decode_record(record.record, loss)) {
      find(journal_finding::kind::earlier, loss.owner(), describe(loss));
      return;
    }
    record.problem = "Its bytes were damaged and are kept here.";
    find(journal_finding::kind::earlier, record.key, *record.problem);
  }

  error newer_format() const {
    return invalid("The journal in " + snapshot_.folder.string() + " is of a newer format (" +
                   *out_.records.front().problem + "). Use the `troupe` of the release that wrote it.");
  }

  journal_snapshot snapshot_;
  journal_inspection out_;
  inventory all_;
  std::size_t unreadable_versions_ = 0;
};

}  // namespace

const char* to_string(journal_finding::kind kind) {
  switch (kind) {
    case journal_finding::kind::file:
      return "file";
    case journal_finding::kind::record:
      return "record";
    case journal_finding::kind::count:
      return "count";
    case journal_finding::kind::earlier:
      return "earlier";
  }
  return "?";
}

const inspected_record* journal_inspection::find(const std::string& key) const {
  const auto at = std::lower_bound(records.begin(), records.end(), key,
                                   [](const inspected_record& r, const std::string& k) { return r.key < k; });
  return at != records.end() && at->key == key ? &*at : nullptr;
}

result<journal_inspection> inspect_journal(const std::filesystem::path& path) {
  const auto folder = locate(path);
  if (!folder) return folder.error();
  auto snapshot = journal_snapshot::take(*folder);
  if (!snapshot) return snapshot.error();
  return inspector(std::move(*snapshot)).run();
}

}  // namespace troupe
