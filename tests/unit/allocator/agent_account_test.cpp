#include "actors/allocator/agent_account.hpp"

#include <catch2/catch.hpp>

namespace troupe {
namespace {

resources r(const std::string& text) {
  return resources::parse(text).value();
}
const claimant a{"eng", framework_id("a")};
const claimant b{"eng", framework_id("b")};

agent_account with_total(const resources& total) {
  agent_account account;
  account.set_total(total);
  return account;
}

resources shared_volume(const std::string& id) {
  v1::Resource one;
  one.set_name("disk");
  one.set_type(v1::Value::SCALAR);
  one.mutable_scalar()->set_value(10);
  auto* reservation = one.add_reservations();
  reservation->set_type(v1::Resource::ReservationInfo::DYNAMIC);
  reservation->set_role("eng");
  one.mutable_disk()->mutable_persistence()->set_id(id);
  one.mutable_disk()->mutable_volume()->set_container_path("data");
  one.mutable_disk()->mutable_volume()->set_mode(v1::Volume::RW);
  one.mutable_shared();
  return resources::from(one).value();
}

}  // namespace

TEST_CASE("what is offered and used is not free, and comes back") {
  auto account = with_total(r("cpus:4;mem:100"));
  account.offer(a, r("cpus:4;mem:100"));
  CHECK(account.free().empty());
  const auto settled = account.settle(a, r("cpus:1;mem:10"), r("cpus:3;mem:90"));
  CHECK(settled.used == r("cpus:1;mem:10"));
  CHECK(settled.unused == r("cpus:3;mem:90"));
  CHECK(account.free() == r("cpus:3;mem:90"));
  CHECK(account.release(a, r("cpus:1;mem:10")) == r("cpus:1;mem:10"));
  CHECK(account.free() == account.total());
  CHECK(account.holdings().empty());
  account.check_invariants();
}

TEST_CASE("offering what is not free is refused by force") {
  auto account = with_total(r("cpus:4"));
  account.offer(a, r("cpus:3"));
  CHECK_THROWS_AS(account.offer(b, r("cpus:2")), std::logic_error);
  CHECK(account.free() == r("cpus:1"));
}

TEST_CASE("settling more than was offered moves what was offered") {
  auto account = with_total(r("cpus:4;mem:100"));
  account.offer(a, r("cpus:2"));
  const auto settled = account.settle(a, r("cpus:1;mem:50"), r("cpus:9"));
  CHECK(settled.used == r("cpus:1"));
  CHECK(settled.unused == r("cpus:1"));
  CHECK(account.holdings().at(a).used == r("cpus:1"));
  CHECK(account.free() == r("cpus:3;mem:100"));
  CHECK(account.settle(b, r("cpus:1"), {}).used.empty());
  account.check_invariants();
}

TEST_CASE("releasing more than is used releases what is used") {
  auto account = with_total(r("cpus:4"));
  REQUIRE(account.charge(a, r("cpus:2")));
  CHECK(account.release(a, r("cpus:3;mem:1")) == r("cpus:2"));
  CHECK(account.release(a, r("cpus:3")).empty());
  CHECK(account.release(b, r("cpus:3")).empty());
  CHECK(account.free() == r("cpus:4"));
  account.check_invariants();
}

TEST_CASE("a report may claim more than there is: nothing is free then, and the excess goes first") {
  auto account = with_total(r("cpus:4;mem:100"));
  account.offer(a, r("cpus:3"));
  REQUIRE(account.charge(b, r("cpus:2")));
  CHECK(account.excess() == r("cpus:1"));
  CHECK(account.free() == r("mem:100"));
  account.check_invariants();
  account.settle(a, {}, r("cpus:3"));
  CHECK(account.excess().empty());
  CHECK(account.free() == r("cpus:2;mem:100"));
  account.check_invariants();
}

TEST_CASE("a total that shrinks below what is held leaves an excess") {
  auto account = with_total(r("cpus:4"));
  REQUIRE(account.charge(a, r("cpus:3")));
  account.set_total(r("cpus:2;mem:10"));
  CHECK(account.excess() == r("cpus:1"));
  CHECK(account.free() == r("mem:10"));
  account.set_total(r("cpus:5"));
  CHECK(account.excess().empty());
  CHECK(account.free() == r("cpus:2"));
  account.check_invariants();
}

TEST_CASE("a report heard twice charges once") {
  auto account = with_total(r("cpus:4"));
  REQUIRE(account.charge_at_least(a, r("cpus:1")));
  REQUIRE(account.charge_at_least(a, r("cpus:1")));
  CHECK(account.free() == r("cpus:3"));
  REQUIRE(account.charge_at_least(a, r("cpus:2")));
  CHECK(account.free() == r("cpus:2"));
}

TEST_CASE("a charge that goes beyond what can be counted is refused") {
  auto account = with_total(r("cpus:4"));
  REQUIRE(account.charge(a, r("cpus:1000000000000")));
  CHECK_FALSE(account.charge(a, r("cpus:1")));
  CHECK(account.holdings().at(a).used == r("cpus:1000000000000"));
  account.check_invariants();
}

TEST_CASE("a shared volume is offered to one at a time, and used by many") {
  const resources volume = shared_volume("v");
  auto account = with_total(r("cpus:4") + volume);
  account.offer(a, r("cpus:1") + volume);
  CHECK(account.free() == r("cpus:3"));
  const auto settled = account.settle(a, volume + volume, r("cpus:1"));
  CHECK(settled.used == volume + volume);
  CHECK(account.free() == r("cpus:4") + volume);
  account.check_invariants();

  account.offer(b, volume);
  account.settle(b, volume, {});
  CHECK(account.holdings().at(b).used == volume);
  CHECK(account.free() == r("cpus:4") + volume);
  CHECK(account.release(a, volume) == volume);
  CHECK(account.holdings().at(a).used == volume);
  CHECK(account.release(a, volume) == volume);
  CHECK(account.holdings().count(a) == 0);
  account.check_invariants();
}

TEST_CASE("a shared volume is charged once to each who has it, and once to the role") {
  const resources volume = shared_volume("v");
  auto account = with_total(r("cpus:4") + volume);
  REQUIRE(account.charge(a, r("cpus:1") + volume + volume));
  REQUIRE(account.charge(b, r("cpus:1") + volume));
  CHECK(account.charged(a) == quantities{{"cpus", 1000}, {"disk", 10000}});
  CHECK(account.charged(b) == quantities{{"cpus", 1000}, {"disk", 10000}});
  CHECK(account.charged("eng") == quantities{{"cpus", 2000}, {"disk", 10000}});
}

}  // namespace troupe
