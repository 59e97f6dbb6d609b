#include "actors/allocator/ledger.hpp"

#include <catch2/catch.hpp>

namespace troupe {
namespace {

resources r(const std::string& text) {
  return resources::parse(text).value();
}
const agent_id one("agent-1");
const agent_id two("agent-2");
const claimant a_eng{"eng", framework_id("a")};
const claimant a_ops{"ops", framework_id("a")};
const claimant b_eng{"eng", framework_id("b")};

wide cpus(const tally& t) {
  return t.empty() ? 0 : t.sums().at("cpus");
}

}  // namespace

TEST_CASE("sums follow every move") {
  ledger books;
  books.set_total(one, r("cpus:4"));
  books.set_total(two, r("cpus:6"));
  books.offer(one, a_eng, r("cpus:3"));
  REQUIRE(books.charge(two, b_eng, r("cpus:2")));
  REQUIRE(books.charge(two, a_ops, r("cpus:1")));
  CHECK(cpus(books.total()) == 10000);
  CHECK(cpus(books.charged("eng")) == 5000);
  CHECK(cpus(books.charged(a_eng)) == 3000);
  CHECK(books.held_by(framework_id("a")) == std::set<agent_id>{one, two});
  books.check_invariants();

  books.settle(one, a_eng, {}, r("cpus:3"));
  CHECK(books.charged(a_eng).empty());
  CHECK(books.held_by(framework_id("a")) == std::set<agent_id>{two});
  books.check_invariants();

  books.remove_agent(two);
  CHECK(cpus(books.total()) == 4000);
  CHECK(books.charged("eng").empty());
  books.check_invariants();
}

TEST_CASE("dropping a framework frees what it holds under every role, and says where") {
  ledger books;
  books.set_total(one, r("cpus:4"));
  books.set_total(two, r("cpus:4"));
  REQUIRE(books.charge(one, a_eng, r("cpus:1")));
  REQUIRE(books.charge(one, a_ops, r("cpus:1")));
  REQUIRE(books.charge(two, b_eng, r("cpus:1")));
  CHECK(books.drop_framework(framework_id("a")) == std::set<agent_id>{one});
  CHECK(books.find(one)->free() == r("cpus:4"));
  CHECK(books.find(two)->free() == r("cpus:3"));
  CHECK(books.drop_framework(framework_id("a")).empty());
  books.check_invariants();
}

TEST_CASE("moves on an unknown agent do nothing") {
  ledger books;
  CHECK_FALSE(books.charge(one, a_eng, r("cpus:1")));
  CHECK(books.release(one, a_eng, r("cpus:1")).empty());
  CHECK(books.settle(one, a_eng, r("cpus:1"), {}).used.empty());
  books.remove_agent(one);
  CHECK(books.agents().empty());
  CHECK(books.take_changes().claimants.empty());
}

TEST_CASE("agents with something to offer are known without a search") {
  ledger books;
  books.set_total(one, r("cpus:4"));
  CHECK(books.with_free() == std::set<agent_id>{one});
  books.offer(one, a_eng, r("cpus:4"));
  CHECK(books.with_free().empty());
  books.settle(one, a_eng, r("cpus:3"), r("cpus:1"));
  CHECK(books.with_free() == std::set<agent_id>{one});
}

}  // namespace troupe
