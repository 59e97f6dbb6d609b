// A journal that a newer release wrote is refused, and is afterwards what it was.
#include "storage/journal.hpp"
#include "storage/seal.hpp"

#include "tests/unit/storage/scratch_folder.hpp"
#include "tests/unit/storage/some_records.hpp"

#include <leveldb/db.h>

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

using namespace troupe;
using namespace troupe::test;
using Catch::Contains;

namespace {

using files = std::map<std::string, std::string>;

files files_of(const std::filesystem::path& folder) {
  files all;
  for (const auto& each : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(each.path(), std::ios::binary);
    all[each.path().filename().string()] = {std::istreambuf_iterator<char>(in), {}};
  }
  return all;
}

std::unique_ptr<leveldb::DB> raw(const std::filesystem::path& folder) {
  leveldb::DB* database = nullptr;
  REQUIRE(leveldb::DB::Open({}, folder.string(), &database).ok());
  return std::unique_ptr<leveldb::DB>(database);
}

std::map<std::string, std::string> raw_records(const std::filesystem::path& folder) {
  const auto database = raw(folder);
  std::map<std::string, std::string> all;
  const std::unique_ptr<leveldb::Iterator> at(database->NewIterator({}));
  for (at->SeekToFirst(); at->Valid(); at->Next()) all[at->key().ToString()] = at->value().ToString();
  return all;
}

/// Makes the record of that key one of a later version, in all else as a release that knows it would write it.
void age(const std::filesystem::path& folder, const std::string& key, char version) {
  const auto database = raw(folder);
  std::string sealed;
  REQUIRE(database->Get({}, key, &sealed).ok());
  auto record = std::string(unseal(key, sealed).value());
  record[0] = version;
  REQUIRE(database->Put({}, key, seal(key, record)).ok());
}

error refusal(const std::filesystem::path& folder) {
  const auto opened = journal::open(folder);
  REQUIRE(opened.has_error());
  return opened.error();
}

}  // namespace

TEST_CASE("a journal of a newer release is refused by name of both versions, and no file of it is touched") {
  scratch_folder scratch;
  REQUIRE(journal::open(scratch.path()).value()->commit({puts({"agent/self", "agent/task/f/t"})}));
  age(scratch.path(), "agent/self", 2);
  age(scratch.path(), "head", 2);
  const auto before = files_of(scratch.path());
  for (int times = 0; times < 2; ++times) {
    const auto refused = refusal(scratch.path());
    CHECK(refused.code == errc::invalid_argument);
    CHECK_THAT(refused.message, Contains(scratch.path().string()) && Contains("newer release") &&
                                    Contains("head has version 2") && Contains("versions up to 1"));
    CHECK(files_of(scratch.path()) == before);
  }
  age(scratch.path(), "agent/self", 1);
  age(scratch.path(), "head", 1);
  CHECK(keys_of(journal::open(scratch.path()).value()->scan("agent").value()) ==
        std::vector<std::string>{"agent/self", "agent/task/f/t"});
}

TEST_CASE("a single record of a newer release is refused by its key, and every record stays as it was") {
  scratch_folder scratch;
  REQUIRE(journal::open(scratch.path()).value()->commit({puts({"agent/self", "agent/task/f/t", "master/agent/a"})}));
  age(scratch.path(), "agent/task/f/t", 7);
  age(scratch.path(), "master/agent/a", 3);
  const auto before = raw_records(scratch.path());
  const auto refused = refusal(scratch.path());
  CHECK(refused.code == errc::invalid_argument);
  CHECK_THAT(refused.message, Contains("agent/task/f/t has version 7") && Contains("versions up to 1"));
  CHECK(raw_records(scratch.path()) == before);
}

TEST_CASE("damage that looks like a later version is damage") {
  scratch_folder scratch;
  REQUIRE(journal::open(scratch.path()).value()->commit({puts({"agent/self"})}));
  {
    const auto database = raw(scratch.path());
    for (const std::string key : {"agent/self", "head"}) {
      std::string sealed;
      REQUIRE(database->Get({}, key, &sealed).ok());
      sealed[0] = 2;  // and the seal does not fit
      REQUIRE(database->Put({}, key, sealed).ok());
    }
  }
  const auto opened = journal::open(scratch.path());
  REQUIRE(opened.has_value());
  CHECK_FALSE((*opened)->scan("agent").value().damaged.empty());
}
