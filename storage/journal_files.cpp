#include "storage/journal_files.hpp"

#include "storage/checksum.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <leveldb/options.h>
#include <leveldb/table.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

namespace troupe::journal_files {

namespace {

using google::protobuf::io::CodedInputStream;

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (auto at = bytes.rbegin(); at != bytes.rend(); ++at) value = value << 8 | static_cast<unsigned char>(*at);
  return value;
}

/// LevelDB stores checksums of what may itself hold checksums, and so turns and shifts them.
bool fits(std::string_view stored, std::initializer_list<std::string_view> parts) {
  const std::uint32_t crc = little_endian(checksum(parts));
  return little_endian(stored) == ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

// --- logs

constexpr std::size_t log_block_bytes = 32768;
constexpr std::size_t log_header_bytes = 7;  // checksum (4), length (2), type (1)

enum fragment : char { none = 0, full = 1, first = 2, middle = 3, last = 4 };

class log_walk {
 public:
  explicit log_walk(std::string_view bytes) : bytes_(bytes) {}

  log_contents walk() {
    while (at_ < bytes_.size() && !out_.torn) step();
    if (open_ && !out_.torn) out_.torn = "It ends within a record that begins at byte " + std::to_string(begun_) + ".";
    return std::move(out_);
  }

 private:
  std::size_t left_in_block() const { return log_block_bytes - at_ % log_block_bytes; }

  void step() {
    if (left_in_block() < log_header_bytes) return skip_block();
    if (bytes_.size() - at_ < log_header_bytes) return tear();
    const auto header = bytes_.substr(at_, log_header_bytes);
    const std::size_t length = little_endian(header.substr(4, 2));
    const char type = header[6];
    if (type == none && length == 0) return skip_block();  // made ready for a write that did not come
    if (length + log_header_bytes > left_in_block()) return spoil("has an impossible length");
    if (bytes_.size() - at_ - log_header_bytes < length) return tear();
    const auto payload = bytes_.substr(at_ + log_header_bytes, length);
    if (!fits(header.substr(0, 4), {header.substr(6, 1), payload})) return spoil("does not match its checksum");
    take(type, payload);
    at_ += log_header_bytes + length;
  }

  void take(char type, std::string_view payload) {
    const bool begins = type == full || type == first;
    if (type < full || type > last) return note(at_, "is of unknown kind " + std::to_string(type));
    if (begins && open_) note(begun_, "has no end");
    if (!begins && !open_) return note(at_, "is a piece of a record that has no beginning");
    if (begins) {
      record_.clear();
      begun_ = at_;
    }
    record_ += payload;
    open_ = type == first || type == middle;
    if (!open_) out_.records.push_back(std::exchange(record_, {}));
  }

  /// What follows in the block cannot be trusted: nobody knows where it begins.
  void spoil(const std::string& how) {
    note(at_, how);
    open_ = false;
    skip_block();
  }
  void note(std::size_t at, const std::string& how) {
    out_.faults.push_back("The record at byte " + std::to_string(at) + " " + how + ".");
  }
  void tear() {
    out_.torn = "It ends within a record that begins at byte " + std::to_string(open_ ? begun_ : at_) + ".";
  }
  void skip_block() { at_ = std::min(bytes_.size(), at_ + left_in_block()); }

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool open_ = false;  // a record of several pieces has begun
  std::size_t begun_ = 0;
  std::string record_;
  log_contents out_;
};

// --- MANIFEST

/// A key without what LevelDB appends: its sequence number and kind.
std::string user_key(std::string_view internal) {
  return std::string(internal.substr(0, internal.size() - std::min<std::size_t>(internal.size(), 8)));
}

bool read_bytes(CodedInputStream& in, std::string& out) {
  std::uint32_t size = 0;
  return in.ReadVarint32(&size) && in.ReadString(&out, static_cast<int>(size));
}

bool read_new_table(CodedInputStream& in, version& into) {
  std::uint32_t level = 0;
  std::uint64_t number = 0;
  table made;
  std::string smallest, largest;
  if (!in.ReadVarint32(&level) || !in.ReadVarint64(&number) || !in.ReadVarint64(&made.bytes) ||
      !read_bytes(in, smallest) || !read_bytes(in, largest))
    return false;
  made.smallest = user_key(smallest);
  made.largest = user_key(largest);
  into.tables[number] = std::move(made);
  return true;
}

/// One field of an edit; its tags are numbered in LevelDB's version_edit.cc.
bool apply_field(std::uint32_t tag, CodedInputStream& in, version& into, std::vector<std::uint64_t>& deleted) {
  std::string text;
  std::uint64_t number = 0;
  std::uint32_t level = 0;
  switch (tag) {
    case 1:  // comparator
      return read_bytes(in, text);
    case 2:  // log number
      return in.ReadVarint64(&into.first_log);
    case 3:  // next file number
    case 4:  // last sequence
    case 9:  // previous log number
      return in.ReadVarint64(&number);
    case 5:  // compact pointer
      return in.ReadVarint32(&level) && read_bytes(in, text);
    case 6:  // deleted file
      if (!in.ReadVarint32(&level) || !in.ReadVarint64(&number)) return false;
      deleted.push_back(number);
      return true;
    case 7:  // new file
      return read_new_table(in, into);
    default:
      return false;
  }
}

bool apply_edit(const std::string& bytes, version& into) {
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  version added;
  added.first_log = into.first_log;
  std::vector<std::uint64_t> deleted;
  std::uint32_t tag = 0;
  while (in.CurrentPosition() < static_cast<int>(bytes.size()))
    if (!in.ReadVarint32(&tag) || !apply_field(tag, in, added, deleted)) return false;
  // A table that changes its level is deleted and new in one edit.
  for (const auto number : deleted) into.tables.erase(number);
  for (auto& each : added.tables) into.tables[each.first] = std::move(each.second);
  into.first_log = added.first_log;
  return true;
}

// --- tables

struct extent {
  std::uint64_t offset;
  std::size_t bytes;
};

/// Notes each block that is read and does not match its checksum.
class checking_reader final : public leveldb::RandomAccessFile {
 public:
  checking_reader(leveldb::RandomAccessFile* below, std::uint64_t size) : below_(below), size_(size) {}

  leveldb::Status Read(std::uint64_t offset, std::size_t n, leveldb::Slice* out, char* scratch) const override {
    constexpr std::size_t trailer_bytes = 5;  // compression (1), checksum (4)
    const auto status = below_->Read(offset, n, out, scratch);
    const std::string_view block(out->data(), out->size());
    if (offset + footer_bytes == size_) return status;
    const bool whole = status.ok() && block.size() == n && n > trailer_bytes;
    if (!whole || !fits(block.substr(n - 4), {block.substr(0, n - 4)})) bad_.push_back({offset, n});
    return status;
  }

  std::vector<extent> take_bad() { return std::exchange(bad_, {}); }

 private:
  static constexpr std::size_t footer_bytes = 48;

  std::unique_ptr<leveldb::RandomAccessFile> below_;
  std::uint64_t size_;
  mutable std::vector<extent> bad_;
};

class table_check {
 public:
  table_check(std::string name, std::vector<fault>& out) : name_(std::move(name)), out_(out) {}

  void run(snapshot_env& env, const std::string& path) {
    std::uint64_t size = 0;
    leveldb::RandomAccessFile* file = nullptr;
    env.GetFileSize(path, &size);
    if (const auto status = env.NewRandomAccessFile(path, &file); !status.ok()) return note(status.ToString() + ".");
    checking_reader reader(file, size);
    leveldb::Options options;
    options.env = &env;
    options.paranoid_checks = true;
    leveldb::Table* opened = nullptr;
    const auto status = leveldb::Table::Open(options, &reader, size, &opened);
    const std::unique_ptr<leveldb::Table> table(opened);
    if (!status.ok()) return note("Its index cannot be read (" + status.ToString() + "), and so none of its records.");
    walk(*table, reader);
  }

 private:
  void walk(const leveldb::Table& table, checking_reader& reader) {
    leveldb::ReadOptions read;
    read.verify_checksums = true;
    read.fill_cache = false;
    const std::unique_ptr<leveldb::Iterator> at(table.NewIterator(read));
    std::string before;
    for (at->SeekToFirst();; at->Next()) {
      const std::string here = at->Valid() ? user_key({at->key().data(), at->key().size()}) : "";
      for (const auto& bad : reader.take_bad()) note_block(bad, before, here);
      if (!at->Valid()) break;
      before = here;
    }
    if (!at->status().ok() && !noted_) note("It cannot be read: " + at->status().ToString() + ".");
  }

  void note_block(const extent& bad, const std::string& before, const std::string& after) {
    note("The block of " + std::to_string(bad.bytes) + " bytes at byte " + std::to_string(bad.offset) +
         " does not match its checksum: records " + (before.empty() ? "from the first on" : "after " + before) +
         (after.empty() ? "" : ", before " + after) + ", cannot be read.");
  }
  void note(std::string what) {
    out_.push_back({name_, std::move(what)});
    noted_ = true;
  }

  std::string name_;
  std::vector<fault>& out_;
  bool noted_ = false;
};

// --- all of them

std::string text_of(const journal_snapshot& snapshot, const std::string& name) {
  std::string out;
  if (const auto at = snapshot.files.find(name); at != snapshot.files.end())
    if (!at->second->read(0, at->second->size(), out).ok()) out.clear();
  return out;
}

/// As LevelDB names its files.
std::string numbered(std::uint64_t number, const char* ending) {
  char name[32];
  std::snprintf(name, sizeof(name), "%06llu.%s", static_cast<unsigned long long>(number), ending);
  return name;
}

std::optional<std::uint64_t> number_of(const std::string& name, std::string_view ending) {
  if (name.size() <= ending.size() || name.substr(name.size() - ending.size()) != ending) return std::nullopt;
  const auto digits = name.substr(0, name.size() - ending.size());
  if (digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return std::stoull(digits);
}

void check_log(const journal_snapshot& snapshot, const std::string& name, std::vector<fault>& out) {
  const auto contents = read_log(text_of(snapshot, name));
  for (const auto& each : contents.faults) out.push_back({name, each + " What was committed there is lost."});
  if (contents.torn && snapshot.holder.empty()) {
    out.push_back({name, *contents.torn +
                             " Either a crash tore its last write, which then was never acknowledged, or it was cut "
                             "off, and what was committed there is lost."});
  }
}

void check_named_tables(const version& named, const journal_snapshot& snapshot, std::vector<fault>& out) {
  for (const auto& [number, table] : named.tables) {
    auto name = numbered(number, "ldb");
    auto at = snapshot.files.find(name);
    if (at == snapshot.files.end()) at = snapshot.files.find(numbered(number, "sst"));
    if (at == snapshot.files.end()) {
      out.push_back({name, "It is missing. It held records from " + table.smallest + " to " + table.largest + "."});
    } else if (at->second->size() != table.bytes) {
      out.push_back({at->first, "It has " + std::to_string(at->second->size()) + " bytes; the MANIFEST says " +
                                    std::to_string(table.bytes) + "."});
    }
  }
}

/// What the MANIFEST says; nothing where that cannot be told.
std::optional<version> check_contents_tables(const journal_snapshot& snapshot, std::vector<fault>& out) {
  const auto manifest = snapshot.manifest();
  if (manifest.empty()) {
    out.push_back({"CURRENT", snapshot.files.count("CURRENT") == 0 ? "It is missing." : "It names no MANIFEST."});
    return std::nullopt;
  }
  if (snapshot.files.count(manifest) == 0) {
    out.push_back({manifest, "It is missing, though CURRENT names it."});
    return std::nullopt;
  }
  const auto contents = read_log(text_of(snapshot, manifest));
  for (const auto& each : contents.faults) out.push_back({manifest, each});
  const auto read = read_version(contents.records);
  if (!read) out.push_back({manifest, read.error().message});
  if (!read || !contents.faults.empty() || contents.records.empty()) return std::nullopt;
  return *read;
}

}  // namespace

log_contents read_log(std::string_view bytes) {
  return log_walk(bytes).walk();
}

result<version> read_version(const std::vector<std::string>& edits) {
  version out;
  for (const auto& each : edits)
    if (!apply_edit(each, out)) return error{errc::corrupt, "One of its edits cannot be read."};
  return out;
}

std::vector<fault> check(const journal_snapshot& snapshot) {
  std::vector<fault> out;
  const auto named = check_contents_tables(snapshot, out);
  if (named) check_named_tables(*named, snapshot, out);
  snapshot_env env(snapshot);
  for (const auto& each : snapshot.files) {
    const auto& name = each.first;
    auto table = number_of(name, ".ldb");
    if (!table) table = number_of(name, ".sst");
    if (table && (!named || named->tables.count(*table) != 0))
      table_check(name, out).run(env, env.folder() + "/" + name);
    if (const auto log = number_of(name, ".log"); log && (!named || *log >= named->first_log))
      check_log(snapshot, name, out);
  }
  return out;
}

}  // namespace troupe::journal_files
