// The contract of journal_store, which every store keeps.
#include "storage/journal.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"

#include "tests/unit/storage/scratch_folder.hpp"
#include "tests/unit/storage/shared_registry.hpp"
#include "tests/unit/storage/some_records.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

using strings = std::vector<std::string>;

struct on_disk {
  scratch_folder folder;
  std::unique_ptr<journal_store> store = journal::open(folder.path()).value();
};

struct in_memory {
  std::unique_ptr<journal_store> store = std::make_unique<memory_store>();
};

struct in_znodes {
  shared_registry registry;
  std::unique_ptr<memory_coordination_line> line = registry.open_line();
  std::unique_ptr<journal_store> store = registry_store::open(*line, registry.root, registry.next_leader()).value();
};

}  // namespace

TEMPLATE_TEST_CASE("a store gives back what was committed, in the order of keys", "", on_disk, in_memory, in_znodes) {
  TestType t;
  REQUIRE(t.store->commit({puts({"b", "a/2"}), puts({"a/1"})}));
  const auto found = t.store->scan("").value();
  CHECK(keys_of(found) == strings{"a/1", "a/2", "b"});
  CHECK(contents(found).at("a/2") == "a/2");
  CHECK(found.damaged.empty());
}

TEMPLATE_TEST_CASE("batches of one commit are applied in order", "", on_disk, in_memory, in_znodes) {
  TestType t;
  REQUIRE(t.store->commit({batch({put("k", named("first"))}), batch({erase("k")}), batch({put("k", named("last"))})}));
  CHECK(contents(t.store->scan("").value()).at("k") == "last");
  REQUIRE(t.store->commit({batch({put("k", named("again")), erase("k"), erase("was never there")})}));
  CHECK(t.store->scan("").value().records.empty());
}

TEMPLATE_TEST_CASE("a commit of nothing succeeds", "", on_disk, in_memory, in_znodes) {
  TestType t;
  CHECK(t.store->commit({}));
  CHECK(t.store->commit({puts({})}));
  CHECK(t.store->scan("").value().records.empty());
}

TEMPLATE_TEST_CASE("a scan finds what is under its path and none of the neighbours", "", on_disk, in_memory,
                   in_znodes) {
  TestType t;
  REQUIRE(t.store->commit({puts({"a", "a/b", "a/b/c", "a/b/c/d", "a/b-c", "a/bc", "a/b!", "a/c", "b"})}));
  CHECK(keys_of(t.store->scan("a/b").value()) == strings{"a/b", "a/b/c", "a/b/c/d"});
  CHECK(keys_of(t.store->scan("a/b/").value()) == strings{"a/b/c", "a/b/c/d"});
  CHECK(keys_of(t.store->scan("a/x").value()).empty());
}

TEMPLATE_TEST_CASE("a damaged record is reported by its key, kept in quarantine, and never among the records", "",
                   on_disk, in_memory, in_znodes) {
  TestType t;
  std::string bytes = encode_record(named("task"));
  bytes.back() ^= 1;
  REQUIRE(t.store->commit({puts({"agent/task/f/1", "agent/task/f/3"}), batch({edit{"agent/task/f/2", bytes}})}));

  const auto found = t.store->scan("agent/task").value();
  CHECK(keys_of(found) == strings{"agent/task/f/1", "agent/task/f/3"});
  REQUIRE(damaged_keys(found) == strings{"agent/task/f/2"});
  CHECK(found.damaged[0].what ==
        "The checksum of a record does not match its bytes. Its bytes are kept under quarantine/agent/task/f/2.");

  SECTION("later scans that cover the key report it too") {
    CHECK(damaged_keys(t.store->scan("agent").value()) == strings{"agent/task/f/2"});
    CHECK(damaged_keys(t.store->scan("agent/task/f/2").value()) == strings{"agent/task/f/2"});
    CHECK(damaged_keys(t.store->scan("").value()) == strings{"agent/task/f/2"});
    CHECK(damaged_keys(t.store->scan("quarantine").value()) == strings{"agent/task/f/2"});
  }
  SECTION("scans elsewhere do not") {
    CHECK(damaged_keys(t.store->scan("agent/task/g").value()).empty());
    CHECK(damaged_keys(t.store->scan("agent/task/f/1").value()).empty());
  }
  SECTION("the key can be used again") {
    REQUIRE(t.store->commit({puts({"agent/task/f/2"})}));
    CHECK(keys_of(t.store->scan("agent/task/f/2").value()) == strings{"agent/task/f/2"});
  }
  SECTION("it is reported until it is erased from quarantine") {
    REQUIRE(t.store->commit({batch({erase(keys::quarantine("agent/task/f/2"))})}));
    CHECK(t.store->scan("").value().damaged.empty());
  }
}

TEMPLATE_TEST_CASE("a record of an unknown version is damage, not data", "", on_disk, in_memory, in_znodes) {
  TestType t;
  std::string bytes = encode_record(named("from the future"));
  bytes[0] = 2;
  REQUIRE(t.store->commit({batch({edit{"k", bytes}, edit{"empty", ""}})}));
  const auto found = t.store->scan("").value();
  CHECK(found.records.empty());
  CHECK(damaged_keys(found) == strings{"empty", "k"});
}

TEMPLATE_TEST_CASE("a record over the limit is refused by name, and nothing of its commit is stored", "", on_disk,
                   in_memory, in_znodes) {
  TestType t;
  const auto committed =
      t.store->commit({puts({"small"}), batch({edit{"large", std::string(record_bytes_max + 1, 'x')}})});
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code == errc::exhausted);
  CHECK(committed.error().message.find("large") != std::string::npos);
  CHECK(t.store->scan("").value().records.empty());
}
