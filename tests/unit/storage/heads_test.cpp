#include "storage/heads.hpp"
#include "storage/seal.hpp"

#include "tests/unit/storage/some_records.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

void put_in(record_counts& counts, const std::string& key, const std::string& value) {
  counts.put(key, seal(key, encode_record(named(value))));
}

record_counts three() {
  record_counts counts;
  put_in(counts, "agent/a", "1");
  put_in(counts, "agent/b", "2");
  put_in(counts, "master/c", "3");
  return counts;
}

}  // namespace

TEST_CASE("records are counted by the first component of their keys") {
  const auto head = three().head();
  REQUIRE(head.owners_size() == 2);
  CHECK(head.owners(0).name() == "agent");
  CHECK(head.owners(0).records() == 2);
  CHECK(head.owners(1).name() == "master");
  CHECK(head.owners(1).records() == 1);
}

TEST_CASE("what is counted depends on what is there, not on how it came there") {
  auto counts = three();
  put_in(counts, "agent/a", "other");
  put_in(counts, "agent/d", "4");
  put_in(counts, "elsewhere", "5");
  put_in(counts, "agent/a", "1");
  counts.erase("agent/d");
  counts.erase("elsewhere");
  counts.erase("never there");
  CHECK(encode_record(counts.head()) == encode_record(three().head()));
  CHECK(counts.losses(three().head(), {}).empty());
}

TEST_CASE("the head record and quarantine are not counted") {
  auto counts = three();
  put_in(counts, "head", "x");
  put_in(counts, "quarantine/agent/a", "x");
  CHECK(encode_record(counts.head()) == encode_record(three().head()));
}

TEST_CASE("a record that cannot be read explains a difference of one, and no more") {
  auto counts = three();
  const auto head = counts.head();
  counts.put("agent/b", "spoilt");
  CHECK(counts.losses(head, {"agent/b"}).empty());
  CHECK(counts.losses(head, {}).size() == 1);
  counts.put("agent/c", "spoilt too");
  CHECK(counts.losses(head, {"agent/b", "agent/c"}).empty());
  counts.erase("agent/a");
  counts.erase("agent/c");
  CHECK(counts.losses(head, {"agent/b"}).size() == 1);
}
