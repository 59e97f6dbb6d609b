#include "protocol/resources.hpp"
#include "tests/unit/protocol/resource_texts.hpp"

#include <catch2/catch.hpp>

using Catch::Matchers::Contains;
using troupe::apply;
using troupe::errc;
using troupe::largest_amount;
using troupe::resource_conversion;
using troupe::resources;
using troupe::testing::message;
using troupe::testing::of;

namespace {

const std::string mount = R"(disk{disk{source { type: MOUNT mount { root: "/m" } }}}:100)";
const std::string block = R"(disk{disk{source { type: BLOCK id: "b" }}}:100)";
const std::string raw_with_id = R"(disk{disk{source { type: RAW id: "r" }}}:100)";
const std::string raw = R"(disk{disk{source { type: RAW }}}:100)";
const std::string path = R"(disk{disk{source { type: PATH path { root: "/p" } }}}:100)";
const std::string volume = R"(disk(eng){disk{persistence { id: "v" }}}:100)";
const std::string shared_volume = R"(disk(eng){shared, disk{persistence { id: "v" }}}:100)";

std::size_t lines(const resources& r) {
  return r.entries().size();
}

resources from_scalar(double value) {
  auto m = message("name: 'cpus' type: SCALAR");
  m.mutable_scalar()->set_value(value);
  return resources::from(m).value();
}

}  // namespace

// --- amounts ---------------------------------------------------------------------------------------------------------

TEST_CASE("scalars are thousandths, further digits are rounded") {
  REQUIRE(from_scalar(1.5).scalar("cpus") == 1500);
  REQUIRE(from_scalar(0.1 + 0.2) == from_scalar(0.3));
  REQUIRE(from_scalar(1.0004) == from_scalar(1));
  REQUIRE(from_scalar(1.0005).scalar("cpus") == 1001);
  resources sum;
  for (int i = 0; i < 1000; ++i) sum += from_scalar(0.001);
  REQUIRE(sum == from_scalar(1));
  REQUIRE(sum.proto().Get(0).scalar().value() == 1.0);
}

TEST_CASE("ranges coalesce in sums and split in differences") {
  REQUIRE(of("ports:[1-2]") + of("ports:[3-5]") == of("ports:[1-5]"));
  REQUIRE(of("ports:[1-10]") - of("ports:[4-5]") == of("ports:[1-3,6-10]"));
  REQUIRE(of("ports:[1-3,6-10]").scalar("ports") == 0);
  REQUIRE(of("ports:[1-3,6-10]").amounts() == troupe::quantities{{"ports", 8000}});
}

TEST_CASE("a range is contained only within one range") {
  REQUIRE(of("ports:[1-10]").contains(of("ports:[2-3,5-6]")));
  REQUIRE_FALSE(of("ports:[1-3,5-9]").contains(of("ports:[3-5]")));
}

TEST_CASE("sets unite without duplicates") {
  REQUIRE(of("tags:{a,b}") + of("tags:{b,c}") == of("tags:{a,b,c}"));
  REQUIRE(of("tags:{a,b,c}") - of("tags:{b}") == of("tags:{a,c}"));
  REQUIRE_FALSE(of("tags:{a}").contains(of("tags:{a,b}")));
}

TEST_CASE("what is empty vanishes") {
  REQUIRE(of("cpus:0;ports:[];tags:{}").empty());
  REQUIRE((of("cpus:1;mem:5") - of("cpus:1")).names() == std::vector<std::string>{"mem"});
}

TEST_CASE("taking away what is not there throws, names both sides and changes nothing") {
  auto r = of("cpus:1;mem:5");
  REQUIRE_THROWS_WITH(r -= of("cpus:2"), Contains("cpus:2") && Contains("cpus:1; mem:5"));
  REQUIRE(r == of("cpus:1;mem:5"));
}

TEST_CASE("resources can be added to themselves and taken from themselves") {
  auto r = of("cpus:1;ports:[1-2]");
  r += r;
  REQUIRE(r == of("cpus:2;ports:[1-2]"));
  r -= r;
  REQUIRE(r.empty());
}

TEST_CASE("a list whose entries of one name add up to more than the limit is refused") {
  const std::string much = "name: 'mem' type: SCALAR scalar { value: 6e11 } ";
  for (const std::string role : {"'*'", "'eng'"}) {
    troupe::resources::proto_list list;
    *list.Add() = message(much);
    REQUIRE(resources::from(list).value().scalar("mem") == largest_amount / 10 * 6);
    *list.Add() = message(much + "role: " + role);
    REQUIRE_THAT(resources::from(list).error().message, Contains("\"mem\"") && Contains("at most 1e12"));
  }
}

TEST_CASE("a sum past 64 bits throws and changes nothing") {
  auto r = of("mem:1000000000000");
  for (int i = 0; i < 13; ++i) r += r;
  const auto before = r;
  REQUIRE_THROWS_AS(r += r, std::overflow_error);
  REQUIRE(r == before);
}

// --- what merges -----------------------------------------------------------------------------------------------------

TEST_CASE("equal kinds add up") {
  for (const char* kind : {"cpus:", "mem(eng):", "mem(eng dynamic by ops):", "cpus{revocable}:", "cpus{allocated eng}:",
                           "cpus{provider p}:", "mem(eng, eng/db dynamic labels{labels { key: \"k\" }}):"}) {
    const std::string text = kind;
    REQUIRE(of(text + "1") + of(text + "2") == of(text + "3"));
    REQUIRE(lines(of(text + "1;" + text + "2")) == 1);
  }
}

TEST_CASE("kinds that differ in anything stay apart") {
  const std::vector<std::string> kinds{"mem:1",
                                       "mem(eng):1",
                                       "mem(ops):1",
                                       "mem(eng dynamic):1",
                                       "mem(eng by ops):1",
                                       "mem(eng dynamic by ops):1",
                                       "mem(eng dynamic by \"\"):1",
                                       "mem(eng dynamic labels{labels { key: \"a\" }}):1",
                                       "mem(eng dynamic labels{labels { key: \"a\" } labels { key: \"b\" }}):1",
                                       "mem(eng dynamic labels{labels { key: \"b\" } labels { key: \"a\" }}):1",
                                       "mem(eng, eng/db dynamic):1",
                                       "mem{revocable}:1",
                                       "mem{allocated eng}:1",
                                       "mem{allocated ops}:1",
                                       "mem{provider p}:1",
                                       "cpus:1"};
  resources all;
  for (const auto& kind : kinds) all += of(kind);
  REQUIRE(lines(all) == kinds.size());
  all.check_invariants();
  for (const auto& kind : kinds) REQUIRE((all - of(kind)).contains(of(kind)) == false);
}

TEST_CASE("path disks and unidentified raw disks add up") {
  for (const auto& disk : {path, raw}) {
    const auto twice = of(disk) + of(disk);
    REQUIRE(lines(twice) == 1);
    REQUIRE(twice.scalar("disk") == 200'000);
    REQUIRE(twice.contains(of(disk)));
  }
}

TEST_CASE("mounts, block devices, identified raw disks and volumes never add up") {
  for (const auto& disk : {mount, block, raw_with_id, volume}) {
    INFO(disk);
    const auto twice = of(disk) + of(disk);
    REQUIRE(twice.proto().size() == 2);
    REQUIRE(twice.proto().Get(0).scalar().value() == 100);
    REQUIRE(twice.scalar("disk") == 200'000);
    REQUIRE(twice - of(disk) == of(disk));
    const auto larger = of(disk.substr(0, disk.rfind(':')) + ":150");
    REQUIRE_FALSE(larger.contains(of(disk)));
    REQUIRE((larger + of(disk)).proto().size() == 2);
  }
}

TEST_CASE("a shared volume counts its shares, not its size") {
  const auto one = of(shared_volume);
  const auto three = one + one + one;
  REQUIRE(three.scalar("disk") == 100'000);
  REQUIRE(three.amounts() == one.amounts());
  REQUIRE(three != one);
  REQUIRE(three.contains(one + one));
  REQUIRE_FALSE(one.contains(one + one));
  REQUIRE(three - one - one == one);
  REQUIRE((one - one).empty());
  REQUIRE(three.proto().size() == 3);
  REQUIRE(lines(one + of(volume)) == 2);
}

TEST_CASE("a framework may mount its volume elsewhere than it was offered") {
  const auto offered = of(R"(disk(eng){disk{persistence { id: "v" } volume { container_path: "a" mode: RW }}}:100)");
  const auto used = of(R"(disk(eng){disk{persistence { id: "v" } volume { container_path: "b" mode: RW }}}:100)");
  REQUIRE(offered.contains(used));
  REQUIRE((offered - used).empty());
  REQUIRE(offered.proto().Get(0).disk().volume().container_path() == "a");
}

// --- parts -----------------------------------------------------------------------------------------------------------

TEST_CASE("resources are allocatable to a role if unreserved, or reserved to it or an ancestor") {
  const auto all = of("cpus:1;cpus(eng):2;cpus(eng/db):4;cpus(ops):8;cpus(eng, eng/db/x dynamic):16");
  REQUIRE(all.allocatable_to("eng").scalar("cpus") == 3000);
  REQUIRE(all.allocatable_to("eng/db").scalar("cpus") == 7000);
  REQUIRE(all.allocatable_to("eng/db/x").scalar("cpus") == 23'000);
  REQUIRE(all.allocatable_to("*").scalar("cpus") == 1000);
  REQUIRE(all.reserved_to("eng").scalar("cpus") == 2000);
  REQUIRE(all.unreserved().scalar("cpus") == 1000);
  REQUIRE(all.dynamically_reserved().scalar("cpus") == 16'000);
}

TEST_CASE("what an agent must remember is its dynamic reservations and volumes") {
  const auto kept = of(volume) + of("mem(eng dynamic):5");
  REQUIRE((kept + of("mem(eng):1;cpus:4") + of(mount)).checkpointed() == kept);
}

TEST_CASE("an allocation has one role or none") {
  REQUIRE_FALSE(resources().allocation_role());
  REQUIRE_FALSE(of("cpus:1").allocation_role());
  REQUIRE_FALSE(of("cpus{allocated eng}:1;mem:1").allocation_role());
  REQUIRE_FALSE(of("cpus{allocated eng}:1;cpus{allocated ops}:1").allocation_role());
  REQUIRE(of("cpus{allocated eng}:1;mem{allocated eng}:1").allocation_role() == std::string("eng"));
  REQUIRE(of("cpus{allocated eng}:1;cpus:1").allocated_to("ops") == of("cpus{allocated ops}:2"));
  REQUIRE(of("cpus{allocated eng}:1;cpus:1").unallocated() == of("cpus:2"));
}

TEST_CASE("scalars are found among plain entries only") {
  const auto pool = of("cpus:2;cpus(eng):4;cpus{revocable}:8;mem:64;disk:10;" + path);
  REQUIRE(pool.find_scalars({{"cpus", 1500}, {"mem", 64'000}}) == of("cpus:1.5;mem:64"));
  REQUIRE_FALSE(pool.find_scalars({{"cpus", 2001}}));
  REQUIRE_FALSE(pool.find_scalars({{"disk", 10'001}}));
  REQUIRE_FALSE(pool.find_scalars({{"gpus", 1}}));
  REQUIRE(pool.find_scalars({}) == resources());
}

TEST_CASE("resources overlap where a port or item is in both, in entries of one kind") {
  REQUIRE(of("ports:[1-5]").overlaps(of("ports:[5-9]")));
  REQUIRE(of("tags:{a,b}").overlaps(of("tags:{b}")));
  REQUIRE_FALSE(of("ports:[1-5]").overlaps(of("ports:[6-9]")));
  REQUIRE_FALSE(of("ports:[1-5]").overlaps(of("ports(eng):[1-5]")));
  REQUIRE_FALSE(of("cpus:1").overlaps(of("cpus:1")));
}

// --- reservations and conversions ------------------------------------------------------------------------------------

namespace {

resources::reservation to_role(const std::string& role, bool dynamic = true) {
  resources::reservation out;
  out.set_role(role);
  out.set_type(dynamic ? resources::reservation::DYNAMIC : resources::reservation::STATIC);
  return out;
}

}  // namespace

TEST_CASE("reserving pushes, unreserving pops and gives back to the owner before") {
  const auto refined = of("cpus(eng):4").push_reservation(to_role("eng/db")).value();
  REQUIRE(refined == of("cpus(eng, eng/db dynamic):4"));
  REQUIRE(refined.pop_reservation().value() == of("cpus(eng):4"));
  REQUIRE(refined.to_unreserved() == of("cpus:4"));
}

TEST_CASE("reserving again accumulates") {
  const auto once = of("cpus:1").push_reservation(to_role("eng")).value();
  REQUIRE(lines(once + once) == 1);
}

TEST_CASE("what cannot be reserved or unreserved is refused with the reason") {
  const auto push = [](const std::string& text, const resources::reservation& top) {
    return of(text).push_reservation(top).error().message;
  };
  REQUIRE_THAT(push("cpus(eng):1", to_role("ops")), Contains("below the role"));
  REQUIRE_THAT(push("cpus(eng):1", to_role("eng")), Contains("below the role"));
  REQUIRE_THAT(push("cpus(eng):1", to_role("eng/x", false)), Contains("DYNAMIC"));
  REQUIRE_THAT(push("cpus:1", to_role("*")), Contains("'*'"));
  REQUIRE_THAT(push("cpus{revocable}:1", to_role("eng")), Contains("revocable"));
  REQUIRE_THAT(of("cpus:1").pop_reservation().error().message, Contains("reserved dynamically"));
  REQUIRE_THAT(of("cpus(eng):1").pop_reservation().error().message, Contains("reserved dynamically"));
  REQUIRE_THAT(of(R"(disk(eng dynamic){disk{persistence { id: "v" }}}:1)").pop_reservation().error().message,
               Contains("persistent volume \"v\""));
}

TEST_CASE("a conversion replaces what it consumes, or says what is missing") {
  const resource_conversion reserve{of("cpus:1"), of("cpus(eng dynamic):1")};
  REQUIRE(apply(reserve, of("cpus:3;mem:5")).value() == of("cpus:2;cpus(eng dynamic):1;mem:5"));
  const auto refused = apply(reserve, of("cpus:0.4"));
  REQUIRE(refused.error().code == errc::conflict);
  REQUIRE_THAT(refused.error().message, Contains("cpus:0.6 are not there"));
}

TEST_CASE("frameworks of old get role and reservation, and no refined ones") {
  const auto old = of("cpus:1;mem(eng):2;disk(eng dynamic by ops):3").to_pre_refinement_form().value();
  REQUIRE(old.Get(0).ShortDebugString() == R"(name: "cpus" type: SCALAR scalar { value: 1 } role: "*")");
  REQUIRE(old.Get(1).ShortDebugString() ==
          R"(name: "disk" type: SCALAR scalar { value: 3 } role: "eng" reservation { principal: "ops" })");
  REQUIRE(old.Get(2).ShortDebugString() == R"(name: "mem" type: SCALAR scalar { value: 2 } role: "eng")");
  REQUIRE_THAT(of("cpus(eng, eng/db dynamic):1").to_pre_refinement_form().error().message,
               Contains("RESERVATION_REFINEMENT"));
}
