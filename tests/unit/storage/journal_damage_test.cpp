// What the journal makes of files whose bytes were changed under it.
#include "storage/journal.hpp"
#include "storage/keys.hpp"

#include "tests/unit/storage/failing_env.hpp"
#include "tests/unit/storage/scratch_folder.hpp"
#include "tests/unit/storage/some_records.hpp"

#include <leveldb/db.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

using namespace troupe;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;
using strings = std::vector<std::string>;

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::vector<fs::path> files_like(const fs::path& folder, const std::string& text) {
  std::vector<fs::path> out;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().filename().string().find(text) != std::string::npos) out.push_back(file.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

fs::path file_like(const fs::path& folder, const std::string& text) {
  const auto found = files_like(folder, text);
  REQUIRE(found.size() == 1);
  return found[0];
}

std::unique_ptr<journal> opened(const fs::path& folder) {
  return journal::open(folder).value();
}

void commit(const fs::path& folder, std::initializer_list<std::string> keys) {
  const auto store = opened(folder);
  for (const auto& key : keys) REQUIRE(store->commit({puts({key})}));
}

scan_result scanned(const fs::path& folder) {
  return opened(folder)->scan("").value();
}

edit_batch large(const std::string& key) {
  return batch({put(key, named(std::string(40'000, 'x')))});
}

}  // namespace

TEST_CASE("a commit torn off at the end of the log is not there, and those before it are whole") {
  scratch_folder scratch;
  commit(scratch.path(), {"a", "b", "torn"});
  const auto log = file_like(scratch.path(), ".log");
  write_bytes(log, bytes_of(log).substr(0, bytes_of(log).size() - 3));
  const auto found = scanned(scratch.path());
  CHECK(keys_of(found) == strings{"a", "b"});
  CHECK(found.damaged.empty());
}

TEST_CASE("a changed byte in the middle of the log costs its record, is reported at every scan, and keeps the rest") {
  scratch_folder scratch;
  {
    const auto store = journal::open(scratch.path()).value();
    REQUIRE(store->commit({large("a"), puts({"a small one"})}));
    REQUIRE(store->commit({large("b")}));
    REQUIRE(store->commit({large("c")}));
  }
  const auto log = file_like(scratch.path(), ".log");
  std::string bytes = bytes_of(log);
  bytes[100] ^= 1;
  write_bytes(log, bytes);

  for (int times = 0; times < 2; ++times) {
    const auto found = scanned(scratch.path());
    CHECK(keys_of(found) == strings{"a small one", "b", "c"});
    REQUIRE(damaged_keys(found) == strings{"a", ""});
    CHECK(found.damaged[1].what.find((scratch / "lost").string()) != std::string::npos);
  }
  SECTION("until somebody has removed the damaged files") {
    fs::remove_all(scratch / "lost");
    CHECK(damaged_keys(scanned(scratch.path())) == strings{"a"});
  }
  SECTION("and new records are kept beside what was salvaged") {
    commit(scratch.path(), {"d"});
    CHECK(keys_of(scanned(scratch.path())) == strings{"a small one", "b", "c", "d"});
  }
}

TEST_CASE("a store that lost its CURRENT or its MANIFEST is rebuilt, not begun anew") {
  scratch_folder scratch;
  commit(scratch.path(), {"a"});
  commit(scratch.path(), {"b"});
  const auto gone = GENERATE(as<std::string>{}, "CURRENT", "MANIFEST");
  for (const auto& file : files_like(scratch.path(), gone)) fs::remove(file);
  const auto found = scanned(scratch.path());
  CHECK(keys_of(found) == strings{"a", "b"});
  CHECK(damaged_keys(found) == strings{""});
}

TEST_CASE("a store that lost a table keeps the rest and says that it lost something") {
  scratch_folder scratch;
  commit(scratch.path(), {"in a table"});
  commit(scratch.path(), {"in the log"});
  fs::remove(file_like(scratch.path(), ".ldb"));
  const auto found = scanned(scratch.path());
  CHECK(keys_of(found) == strings{"in the log"});
  REQUIRE(damaged_keys(found) == strings{"in a table", ""});
  CHECK(found.damaged[0].what.find("1 of 1 record below in a table are missing") == 0);
}

namespace {

/// Changes a journal behind its back.
template <class Change>
void meddle(const fs::path& folder, Change change) {
  leveldb::DB* raw = nullptr;
  REQUIRE(leveldb::DB::Open({}, folder.string(), &raw).ok());
  const std::unique_ptr<leveldb::DB> database(raw);
  change(*database);
}

std::string stored(leveldb::DB& database, const std::string& key) {
  std::string value;
  REQUIRE(database.Get({}, key, &value).ok());
  return value;
}

}  // namespace

TEST_CASE("records that are gone without a trace are noticed at the next open, named and reported until erased") {
  scratch_folder scratch;
  commit(scratch.path(), {"agent/task/f/1", "agent/task/f/2", "agent/self", "master/agent/a"});
  meddle(scratch.path(), [](leveldb::DB& database) {
    REQUIRE(database.Delete({}, "agent/task/f/1").ok());
    REQUIRE(database.Delete({}, "agent/self").ok());
  });
  for (int times = 0; times < 2; ++times) {
    const auto found = opened(scratch.path())->scan("agent/task").value();
    CHECK(keys_of(found) == strings{"agent/task/f/2"});
    REQUIRE(damaged_keys(found) == strings{"agent"});
    CHECK(found.damaged[0].what ==
          "2 of 3 records below agent are missing: the head record counts 3, and 1 is there. "
          "This is reported until quarantine/head/agent is erased.");
  }
  CHECK(damaged_keys(scanned(scratch.path())) == strings{"agent"});
  CHECK(opened(scratch.path())->scan("master").value().damaged.empty());
  REQUIRE(opened(scratch.path())->commit({batch({erase(keys::loss("agent"))})}));
  CHECK(scanned(scratch.path()).damaged.empty());
}

TEST_CASE("a record that is an older one than was committed last is noticed") {
  scratch_folder scratch;
  std::string older;
  REQUIRE(opened(scratch.path())->commit({batch({put("agent/self", named("older"))})}));
  meddle(scratch.path(), [&](leveldb::DB& database) { older = stored(database, "agent/self"); });
  REQUIRE(opened(scratch.path())->commit({batch({put("agent/self", named("newer"))})}));
  meddle(scratch.path(), [&](leveldb::DB& database) { REQUIRE(database.Put({}, "agent/self", older).ok()); });
  const auto found = scanned(scratch.path());
  CHECK(contents(found).at("agent/self") == "older");
  REQUIRE(damaged_keys(found) == strings{"agent"});
  CHECK(found.damaged[0].what.find("at least one is not as it was committed last") != std::string::npos);
}

TEST_CASE("a record that is there again after it was erased is noticed") {
  scratch_folder scratch;
  std::string erased;
  commit(scratch.path(), {"agent/a", "agent/b"});
  meddle(scratch.path(), [&](leveldb::DB& database) { erased = stored(database, "agent/a"); });
  REQUIRE(opened(scratch.path())->commit({batch({erase("agent/a")})}));
  meddle(scratch.path(), [&](leveldb::DB& database) { REQUIRE(database.Put({}, "agent/a", erased).ok()); });
  const auto found = scanned(scratch.path());
  REQUIRE(damaged_keys(found) == strings{"agent"});
  CHECK(found.damaged[0].what.find("1 more than the head record counts") != std::string::npos);
}

TEST_CASE("a head record that is missing or damaged is said to be, and its bytes are kept") {
  scratch_folder scratch;
  commit(scratch.path(), {"agent/a"});
  SECTION("missing") {
    meddle(scratch.path(), [](leveldb::DB& database) { REQUIRE(database.Delete({}, "head").ok()); });
    CHECK(damaged_keys(scanned(scratch.path())) == strings{"agent"});
  }
  SECTION("damaged") {
    meddle(scratch.path(), [](leveldb::DB& database) { REQUIRE(database.Put({}, "head", "nonsense").ok()); });
    CHECK(damaged_keys(scanned(scratch.path())) == strings{"head", "agent"});
  }
  CHECK(keys_of(scanned(scratch.path())) == strings{"agent/a"});
}

TEST_CASE("a record found under another key than it was put under is damage") {
  scratch_folder scratch;
  {
    const auto store = opened(scratch.path());
    REQUIRE(store->commit({puts({"right"})}));
  }
  meddle(scratch.path(),
         [](leveldb::DB& database) { REQUIRE(database.Put({}, "wrong", stored(database, "right")).ok()); });
  const auto found = scanned(scratch.path());
  CHECK(keys_of(found) == strings{"right"});
  CHECK(damaged_keys(found) == strings{"wrong"});
}

TEST_CASE("whichever byte of the files is changed, no record changes or goes without a word") {
  scratch_folder scratch;
  const auto original = scratch / "original";
  commit(original, {"a", "b"});
  commit(original, {"c", "d"});
  const strings all = {"a", "b", "c", "d"};
  // The last of the log may go without a word: that is what a crash looks like.
  const auto without_the_last = [&](strings found) {
    return found.size() <= all.size() && std::equal(found.begin(), found.end(), all.begin());
  };

  failing_env disk(false);
  journal::options options;
  options.disk = &disk;
  const auto part = GENERATE(as<std::string>{}, ".log", ".ldb", "MANIFEST", "CURRENT");
  const auto victim = scratch / "victim";
  const auto file = file_like(original, part);
  const std::string bytes = bytes_of(file);
  REQUIRE_FALSE(bytes.empty());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    fs::remove_all(victim);
    fs::copy(original, victim, fs::copy_options::recursive);
    std::string changed = bytes;
    changed[at] ^= static_cast<char>(1 << (at % 8));
    write_bytes(victim / file.filename().string(), changed);

    INFO(file.filename() << " byte " << at);
    const auto store = journal::open(victim, options);
    if (!store) continue;  // said so
    const auto found = (*store)->scan("").value();
    for (const auto& [key, value] : contents(found)) CHECK(key == value);
    if (found.damaged.empty()) CHECK(without_the_last(keys_of(found)));
  }
}
