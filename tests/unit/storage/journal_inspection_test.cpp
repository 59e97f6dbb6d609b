// What an inspection says of a journal whose files were damaged, and that it changes none of them.
#include "storage/journal_inspection.hpp"
#include "storage/journal.hpp"
#include "storage/journal_files.hpp"
#include "storage/journal_snapshot.hpp"

#include "tests/unit/storage/failing_env.hpp"
#include "tests/unit/storage/scratch_folder.hpp"
#include "tests/unit/storage/some_records.hpp"
#include "troupe/internal/records.pb.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <leveldb/db.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <tuple>

using namespace troupe;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;
using strings = std::vector<std::string>;
using kind = journal_finding::kind;

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

fs::path only_file(const fs::path& folder, const std::string& ending) {
  std::vector<fs::path> found;
  for (const auto& each : fs::directory_iterator(folder))
    if (each.path().extension() == ending) found.push_back(each.path());
  REQUIRE(found.size() == 1);
  return found[0];
}

void flip(const fs::path& file, std::size_t at) {
  auto bytes = bytes_of(file);
  REQUIRE(at < bytes.size());
  bytes[at] ^= 0x10;
  write_bytes(file, bytes);
}

/// A kilobyte that compression makes nothing of.
std::string noise(int seed) {
  std::mt19937 random(static_cast<unsigned>(seed));
  std::string out(1000, ' ');
  for (char& c : out) c = static_cast<char>(' ' + random() % 95);
  return out;
}

edit task(int number) {
  internal::TaskRecord record;
  record.mutable_framework_id()->set_value(noise(number));
  return put("agent/task/f/" + std::to_string(number), record);
}

edit agent(const std::string& name) {
  internal::AgentRecord record;
  record.mutable_info()->set_hostname(name);
  return put("master/agent/" + name, record);
}

/// A journal with twenty records in one table of several blocks, and two in the log.
struct journal_at_rest : scratch_folder {
  journal_at_rest() {
    {
      auto store = journal::open(path()).value();
      for (int i = 10; i < 30; ++i) REQUIRE(store->commit({batch({task(i)})}));
    }
    auto store = journal::open(path()).value();  // the log becomes a table
    REQUIRE(store->commit({batch({agent("a")})}));
    REQUIRE(store->commit({batch({agent("b")})}));
  }
  fs::path table() const { return only_file(path(), ".ldb"); }
  fs::path log() const { return only_file(path(), ".log"); }
};

std::vector<journal_finding> findings(const fs::path& folder) {
  return inspect_journal(folder).value().findings;
}

/// Whether something is said of `where` that has these words.
bool says(const std::vector<journal_finding>& all, kind is, const std::string& where, const std::string& words) {
  return std::any_of(all.begin(), all.end(), [&](const journal_finding& f) {
    return f.is == is && f.where == where && f.what.find(words) != std::string::npos;
  });
}

using file_facts = std::tuple<std::string, long, long, mode_t, ino_t>;  // bytes, mtime, nanoseconds of it, mode, inode
std::map<std::string, file_facts> facts_of(const fs::path& folder) {
  std::map<std::string, file_facts> out;
  const auto note = [&](const fs::path& path) {
    struct stat found = {};
    REQUIRE(::lstat(path.c_str(), &found) == 0);
    out[path.string()] = {S_ISREG(found.st_mode) ? bytes_of(path) : "", found.st_mtim.tv_sec, found.st_mtim.tv_nsec,
                          found.st_mode, found.st_ino};
  };
  note(folder);
  for (const auto& each : fs::recursive_directory_iterator(folder)) note(each.path());
  return out;
}

void set_writable(const fs::path& folder, bool writable) {
  for (const auto& each : fs::directory_iterator(folder))
    fs::permissions(each.path(), fs::perms(writable ? 0644 : 0444));
  fs::permissions(folder, fs::perms(writable ? 0755 : 0555));
}

/// Runs `work` in another process as nobody; whether it returned true there.
template <class Work>
bool as_nobody(Work work) {
  constexpr uid_t nobody = 65534;
  const pid_t child = ::fork();
  if (child == 0) {
    const bool dropped = ::geteuid() != 0 || (::setgid(nobody) == 0 && ::setuid(nobody) == 0);
    ::_exit(dropped && work() ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// Compacts in threads of its own: LevelDB's is not there any more in a forked process.
class forked_disk final : public failing_env {
 public:
  forked_disk() : failing_env(false) {}
  void Schedule(void (*work)(void*), void* argument) override { StartThread(work, argument); }
};

}  // namespace

TEST_CASE("a sound journal is read whole, with its head record, and nothing is found") {
  journal_at_rest journal;
  const auto found = inspect_journal(journal.path()).value();
  CHECK(found.findings.empty());
  CHECK(found.records.size() == 23);
  CHECK(found.holder.empty());
  REQUIRE(found.find("master/agent/a") != nullptr);
  CHECK(found.find("master/agent/a")->version() == 1);
  CHECK(found.find("head") != nullptr);
  CHECK(found.find("master/agent") == nullptr);
}

TEST_CASE("an inspection changes not one byte, time or name of the folder, damaged or not") {
  journal_at_rest journal;
  const bool damaged = GENERATE(false, true);
  if (damaged) flip(journal.table(), 100);
  set_writable(journal.path(), false);
  const auto before = facts_of(journal.path());
  CHECK(findings(journal.path()).empty() == !damaged);
  CHECK(as_nobody([&] {
    const auto found = inspect_journal(journal.path());
    return found.has_value() && found->findings.empty() == !damaged;
  }));
  CHECK(facts_of(journal.path()) == before);
  set_writable(journal.path(), true);
}

TEST_CASE("who may not read the folder is told so") {
  journal_at_rest journal;
  fs::permissions(journal.path(), fs::perms(0700));
  CHECK(as_nobody([&] {
    const auto found = inspect_journal(journal.path());
    return found.has_error() && found.error().code == errc::io &&
           found.error().message.find("Permission denied") != std::string::npos;
  }));
}

TEST_CASE("each damaged block of a table is named, with the keys around it, and the rest is read") {
  journal_at_rest journal;
  flip(journal.table(), 10);
  flip(journal.table(), 12'000);
  const auto found = inspect_journal(journal.path()).value();
  const auto name = journal.table().filename().string();
  CHECK(says(found.findings, kind::file, name, "at byte 0 does not match its checksum: records from the first on"));
  CHECK(std::count_if(found.findings.begin(), found.findings.end(), [&](const journal_finding& f) {
          return f.where == name && f.what.find("records after agent/task/f/") != std::string::npos;
        }) == 1);
  CHECK(says(found.findings, kind::count, "agent", "of 20 records below agent are missing"));
  CHECK(found.find("agent/task/f/29") != nullptr);
  CHECK(found.find("master/agent/b") != nullptr);
}

TEST_CASE("a table that is missing, cut off or has lost its index is named") {
  journal_at_rest journal;
  const auto table = journal.table();
  const auto name = table.filename().string();
  SECTION("missing") {
    fs::remove(table);
    const auto found = findings(journal.path());
    CHECK(says(found, kind::file, name, "It is missing. It held records from agent/task/f/10 to head."));
    CHECK(says(found, kind::count, "agent", "20 of 20 records below agent are missing"));
  }
  SECTION("cut off") {
    write_bytes(table, bytes_of(table).substr(0, 5000));
    const auto found = findings(journal.path());
    CHECK(says(found, kind::file, name, "It has 5000 bytes; the MANIFEST says"));
    CHECK(says(found, kind::file, name, "Its index cannot be read"));
  }
}

TEST_CASE("a changed byte in the log, and a log that was cut off, are named with their place") {
  journal_at_rest journal;
  const auto log = journal.log();
  const auto name = log.filename().string();
  SECTION("changed") {
    flip(log, 20);
    CHECK(says(findings(journal.path()), kind::file, name, "The record at byte 0 does not match its checksum"));
  }
  SECTION("cut off") {
    write_bytes(log, bytes_of(log).substr(0, bytes_of(log).size() - 5));
    const auto found = inspect_journal(journal.path()).value();
    CHECK(says(found.findings, kind::file, name, "It ends within a record"));
    CHECK(found.find("master/agent/a") != nullptr);
    CHECK(found.find("master/agent/b") == nullptr);
  }
}

TEST_CASE("a lost CURRENT or MANIFEST is named, and the records are read all the same") {
  journal_at_rest journal;
  const auto manifest = journal_snapshot::take(journal.path()).value().manifest();
  const auto gone = GENERATE_COPY(std::string("CURRENT"), manifest);
  fs::remove(journal / gone);
  const auto found = inspect_journal(journal.path()).value();
  CHECK(says(found.findings, kind::file, gone, "It is missing"));
  CHECK(found.records.size() == 23);
}

TEST_CASE("records that were removed or changed behind the journal's back are counted or named") {
  journal_at_rest journal;
  leveldb::DB* raw = nullptr;
  REQUIRE(leveldb::DB::Open({}, journal.path().string(), &raw).ok());
  std::unique_ptr<leveldb::DB> database(raw);
  REQUIRE(database->Delete({}, "agent/task/f/17").ok());
  REQUIRE(database->Put({}, "master/agent/a", "nonsense").ok());
  database.reset();
  const auto found = findings(journal.path());
  CHECK(found.size() == 2);
  CHECK(says(found, kind::count, "agent", "1 of 20 records below agent are missing"));
  CHECK(says(found, kind::record, "master/agent/a", "not the one that was put under this key"));
}

TEST_CASE("a record that is sound but not of its key's type is named") {
  scratch_folder folder;
  auto broken = encode_record(named("xyz"));  // field 1 of a task id; an AgentRecord has a message there
  REQUIRE(journal::open(folder.path()).value()->commit({batch({edit{"master/agent/a", broken}})}));
  CHECK(says(findings(folder.path()), kind::record, "master/agent/a", "are not a troupe.internal.AgentRecord"));
}

TEST_CASE("a journal of a newer format is refused; a single newer record is named") {
  scratch_folder folder;
  auto newer = encode_record(named("x"));
  newer[0] = 2;
  {
    auto store = journal::open(folder.path()).value();
    REQUIRE(store->commit({batch({edit{"master/agent/a", newer}})}));
  }
  CHECK(says(findings(folder.path()), kind::record, "master/agent/a", "this release reads version 1"));
}

TEST_CASE("what a daemon has found before and still reports is found") {
  journal_at_rest journal;
  {
    auto spoilt = encode_record(named("x"));
    spoilt.back() ^= 1;
    auto store = journal::open(journal.path()).value();
    REQUIRE(store->commit({batch({edit{"master/agent/a", spoilt}})}));
    REQUIRE(store->scan("").value().damaged.size() == 1);
  }
  CHECK(says(findings(journal.path()), kind::earlier, "quarantine/master/agent/a", "damaged"));
}

TEST_CASE("paths that hold no journal are refused with what would be one") {
  scratch_folder scratch;
  CHECK(inspect_journal(scratch / "absent").error().code == errc::not_found);
  CHECK(inspect_journal(scratch.path()).error().code == errc::invalid_argument);
  std::ofstream(scratch / "file") << "x";
  std::ofstream(scratch / "app.log") << "x";
  CHECK(inspect_journal(scratch.path()).error().code == errc::invalid_argument);
  CHECK(inspect_journal(scratch / "file").error().code == errc::invalid_argument);
  REQUIRE(journal::open(scratch / "work/journal").has_value());
  CHECK(inspect_journal(scratch / "work").has_value());
  REQUIRE(journal::open(scratch / "both/master/journal").has_value());
  CHECK(inspect_journal(scratch / "both").error().message.find("both/master") != std::string::npos);
}

TEST_CASE("beside a journal that is being written, an inspection sees a state between two commits, none too old") {
  scratch_folder folder;
  forked_disk disk;
  journal::options options;
  options.disk = &disk;
  options.write_buffer_bytes = 1;  // LevelDB makes 64 KiB of it: many tables, many compactions
  int told[2];
  REQUIRE(::pipe(told) == 0);
  const pid_t writer = ::fork();
  if (writer == 0) {
    auto store = journal::open(folder.path(), options);
    for (int i = 0; store; ++i) {
      const auto number = named(std::to_string(i) + std::string(3000, '.'));
      std::vector<edit> pair = {put("agent/left/" + std::to_string(i % 50), number),
                                put("agent/right/" + std::to_string(i % 50), number)};
      if (!(*store)->commit({batch(std::move(pair))}) || ::write(told[1], &i, sizeof i) != sizeof i) break;
    }
    ::_exit(1);
  }
  ::close(told[1]);
  int acknowledged = -1;
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 20; ++i) REQUIRE(::read(told[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged);
    const auto found = inspect_journal(folder.path()).value();
    for (const auto& each : found.findings) INFO(each.where << ": " << each.what);
    CHECK(found.findings.empty());  // the head record counts: so it is one state, not a mixture
    CHECK_FALSE(found.holder.empty());
    int newest = -1;
    for (const auto& each : found.records) {
      v1::TaskID left, right;
      if (each.key.find("agent/left/") != 0 || !decode_record(each.record, left)) continue;
      const auto* other = found.find("agent/right/" + each.key.substr(11));
      REQUIRE(other != nullptr);
      REQUIRE(decode_record(other->record, right));
      CHECK(left.value() == right.value());
      newest = std::max(newest, std::stoi(left.value()));
    }
    CHECK(newest >= acknowledged);
  }
  ::kill(writer, SIGKILL);
  ::waitpid(writer, nullptr, 0);
  ::close(told[0]);
}

TEST_CASE("a log of several blocks is read as LevelDB reads it") {
  scratch_folder folder;
  {
    auto store = journal::open(folder.path()).value();
    for (int i = 0; i < 40; ++i)
      REQUIRE(store->commit({batch({put("k/" + std::to_string(i), named(std::string(5000, 'x')))})}));
  }
  const auto bytes = bytes_of(only_file(folder.path(), ".log"));
  const auto whole = journal_files::read_log(bytes);
  CHECK(whole.records.size() == 40);
  CHECK(whole.faults.empty());
  CHECK_FALSE(whole.torn);
  // However it is cut, all records before the cut are read, and a cut within one is noticed.
  std::size_t read_before = 0;
  int between = 0;
  for (std::size_t size = 0; size <= bytes.size(); size += size % 1000 == 0 ? 997 : 3) {
    const auto cut = journal_files::read_log(std::string_view(bytes).substr(0, size));
    CHECK(cut.faults.empty());
    CHECK(cut.records.size() >= read_before);
    read_before = cut.records.size();
    between += cut.torn ? 0 : 1;
  }
  CHECK(between < 60);
}
