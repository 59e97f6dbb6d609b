// What the journal makes of files whose bytes were changed under it.
#include "storage/journal.hpp"

#include "tests/unit/storage/scratch_folder.hpp"
#include "tests/unit/storage/some_records.hpp"

#include <catch2/catch.hpp>

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

void commit(const fs::path& folder, std::initializer_list<std::string> keys) {
  const auto store = journal::open(folder).value();
  for (const auto& key : keys) REQUIRE(store->commit({puts({key})}));
}

scan_result scanned(const fs::path& folder) {
  return journal::open(folder).value()->scan("").value();
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

TEST_CASE("a changed byte in the middle of the log costs its block, is reported at every scan, and keeps the rest") {
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

  for (int opened = 0; opened < 2; ++opened) {
    const auto found = scanned(scratch.path());
    CHECK(keys_of(found) == strings{"b", "c"});
    REQUIRE(damaged_keys(found) == strings{""});
    CHECK(found.damaged[0].what.find((scratch / "lost").string()) != std::string::npos);
  }
  SECTION("until somebody has removed the damaged files") {
    fs::remove_all(scratch / "lost");
    CHECK(scanned(scratch.path()).damaged.empty());
  }
  SECTION("and new records are kept beside what was salvaged") {
    commit(scratch.path(), {"d"});
    CHECK(keys_of(scanned(scratch.path())) == strings{"b", "c", "d"});
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
  CHECK(damaged_keys(found) == strings{""});
}

TEST_CASE("whichever byte of the files is changed, no record changes or goes without a word") {
  scratch_folder scratch;
  const auto original = scratch / "original";
  commit(original, {"a", "b"});
  commit(original, {"c", "d"});
  const auto all = contents(scanned(original));
  // Copied while closed; the last of the log may go without a word, as after a crash.
  const auto whole_prefix = [&](const std::map<std::string, std::string>& found) {
    auto expected = all;
    while (expected != found && !expected.empty()) expected.erase(std::prev(expected.end()));
    return expected == found;
  };

  const auto part = GENERATE(as<std::string>{}, ".log", ".ldb", "MANIFEST", "CURRENT");
  const auto victim = scratch / "victim";
  for (const auto& file : files_like(original, part)) {
    const std::string bytes = bytes_of(file);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      fs::remove_all(victim);
      fs::copy(original, victim, fs::copy_options::recursive);
      std::string changed = bytes;
      changed[at] ^= static_cast<char>(1 << (at % 8));
      write_bytes(victim / file.filename().string(), changed);

      INFO(file.filename() << " byte " << at);
      const auto opened = journal::open(victim);
      if (!opened) continue;  // said so
      const auto found = (*opened)->scan("").value();
      for (const auto& [key, value] : contents(found)) CHECK((all.count(key) == 1 && all.at(key) == value));
      if (found.damaged.empty()) CHECK(whole_prefix(contents(found)));
    }
  }
}
