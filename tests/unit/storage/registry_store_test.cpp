// What the registry of several masters promises beside the contract of every store (journal_store_test.cpp).
#include "storage/keys.hpp"

#include "tests/unit/storage/shared_registry.hpp"
#include "tests/unit/storage/some_records.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

using strings = std::vector<std::string>;
using fate = failing_line::fate;

}  // namespace

TEST_CASE("the next leader finds what the last one committed") {
  shared_registry r;
  auto first_line = r.open_line();
  auto first = registry_store::open(*first_line, r.root, r.next_leader()).value();
  REQUIRE(first->commit({puts({"master/agent/a", "master/agent/b", "identity/master"})}));
  REQUIRE(first->commit({batch({erase("master/agent/a")})}));

  auto line = r.open_line();
  auto next = registry_store::open(*line, r.root, r.next_leader()).value();
  CHECK(keys_of(next->scan("").value()) == strings{"identity/master", "master/agent/b"});
  CHECK(contents(next->scan("master").value()).at("master/agent/b") == "master/agent/b");
}

TEST_CASE("the commit of a leader that was deposed fails and changes nothing") {
  shared_registry r;
  auto line = r.open_line();
  auto deposed = registry_store::open(*line, r.root, r.next_leader()).value();
  REQUIRE(deposed->commit({puts({"a"})}));
  auto next_line = r.open_line();
  const auto by = r.next_leader();

  SECTION("before the next one has opened it") {
    auto before = r.service;
    const auto committed = deposed->commit({puts({"b"}), batch({erase("a")})});
    REQUIRE_FALSE(committed);
    CHECK(committed.error().code == errc::conflict);
    CHECK(r.service == before);
  }
  SECTION("and after") {
    auto next = registry_store::open(*next_line, r.root, by).value();
    REQUIRE(next->commit({puts({"c"})}));
    CHECK(deposed->commit({puts({"b"})}).error().code == errc::conflict);
    CHECK(keys_of(next->scan("").value()) == strings{"a", "c"});
  }
  SECTION("it does nothing more, and cannot open it again") {
    REQUIRE_FALSE(deposed->commit({puts({"b"})}));
    CHECK(deposed->commit({puts({"b"})}).error().code == errc::unavailable);
    CHECK(deposed->scan("").error().code == errc::unavailable);
    leadership old = by;
    old.epoch_version--;
    CHECK(registry_store::open(*line, r.root, old).error().code == errc::conflict);
  }
}

TEST_CASE("a commit that is not answered has an unknown outcome, which opening the store anew tells") {
  shared_registry r;
  const auto by = r.next_leader();
  auto line = r.open_line();
  failing_line failing(*line);
  auto store = registry_store::open(failing, r.root, by).value();
  REQUIRE(store->commit({puts({"a"})}));

  failing.next = GENERATE(fate::lost_before, fate::lost_after);
  const auto committed = store->commit({puts({"b"})});
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code == errc::outcome_unknown);
  CHECK(store->commit({puts({"c"})}).error().code == errc::unavailable);

  const bool done = failing.next == fate::lost_after;
  failing.next = fate::answered;
  auto again = registry_store::open(failing, r.root, by).value();
  CHECK(keys_of(again->scan("").value()) == (done ? strings{"a", "b"} : strings{"a"}));
}

TEST_CASE("a store cannot be opened when its first change is not answered, and can be later") {
  shared_registry r;
  const auto by = r.next_leader();
  auto line = r.open_line();
  failing_line failing(*line);
  failing.next = GENERATE(fate::lost_before, fate::lost_after);
  CHECK(registry_store::open(failing, r.root, by).error().code == errc::outcome_unknown);
  failing.next = fate::answered;
  CHECK(registry_store::open(failing, r.root, by).has_value());
}

TEST_CASE("a record that somebody else wrote since it was read is not overwritten") {
  shared_registry r;
  auto line = r.open_line();
  auto store = registry_store::open(*line, r.root, r.next_leader()).value();
  REQUIRE(store->commit({puts({"a", "b"})}));
  internal::WriteZnode meddle;
  meddle.set_path(registry_store::path_of(r.root, "a"));
  meddle.set_data(encode_record(named("meddled")));
  r.open_line()->ask(meddle);

  SECTION("a commit finds it") {
    CHECK(store->commit({puts({"a", "b"})}).error().code == errc::conflict);
  }
  SECTION("a scan finds it") {
    CHECK(store->scan("").error().code == errc::conflict);
  }
  CHECK(store->commit({puts({"c"})}).error().code == errc::unavailable);
}

TEST_CASE("with its session over a store can neither be read nor written") {
  shared_registry r;
  const auto session = r.service.open_session(std::chrono::seconds(10), {});
  memory_coordination_line line(r.service, session);
  auto store = registry_store::open(line, r.root, r.next_leader()).value();
  REQUIRE(store->commit({puts({"a"})}));
  r.service.expire(session);
  CHECK(store->scan("").error().code == errc::unavailable);
  CHECK(store->commit({puts({"b"})}).error().code == errc::unavailable);
}

TEST_CASE("a commit that is more than the service takes at once is refused, and the store goes on") {
  shared_registry r;
  auto line = r.open_line();
  auto store = registry_store::open(*line, r.root, r.next_leader()).value();
  std::vector<edit> many;
  for (int i = 0; i < 3; ++i) many.push_back({"k" + std::to_string(i), std::string(500000, 'x')});
  const auto committed = store->commit({batch(many)});
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code == errc::exhausted);
  CHECK(store->commit({puts({"a"})}));
  CHECK(keys_of(store->scan("").value()) == strings{"a"});
}

TEST_CASE("any key has a znode of its own, and comes back as it was") {
  shared_registry r;
  auto line = r.open_line();
  auto store = registry_store::open(*line, r.root, r.next_leader()).value();
  const strings keys{".", "..", "a%b", "a/./b", keys::path({"master", "agent", "a/b%\n"}), "ä", "="};
  std::vector<edit> edits;
  for (const auto& key : keys) edits.push_back(put(key, named(key)));
  REQUIRE(store->commit({batch(edits)}));
  auto other_line = r.open_line();
  auto other = registry_store::open(*other_line, r.root, r.next_leader()).value();
  const auto found = contents(other->scan("").value());
  CHECK(found.size() == keys.size());
  for (const auto& key : keys) CHECK(found.at(key) == key);
}
