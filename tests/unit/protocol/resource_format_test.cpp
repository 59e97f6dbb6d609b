// Which messages are resources, and what is said about those that are not.
#include "protocol/resource_format.hpp"
#include "tests/unit/protocol/resource_texts.hpp"

#include <catch2/catch.hpp>

#include <limits>

using Catch::Matchers::Contains;
using troupe::resources;
using troupe::testing::complaint;
using troupe::testing::message;
using troupe::testing::of;

namespace {

const std::string mem = "name: 'mem' type: SCALAR scalar { value: 1 } ";
const std::string disk = "name: 'disk' type: SCALAR scalar { value: 1 } ";

std::string complaint_of_cpus(double value) {
  auto m = message("name: 'cpus' type: SCALAR");
  m.mutable_scalar()->set_value(value);
  return complaint(m);
}

}  // namespace

TEST_CASE("both forms of reservations mean the same") {
  const auto read = [](const std::string& rest) { return resources::from(message(mem + rest)).value(); };
  REQUIRE(read("") == of("mem:1"));
  REQUIRE(read("role: '*'") == of("mem:1"));
  REQUIRE(read("role: 'eng'") == read("reservations { type: STATIC role: 'eng' }"));
  REQUIRE(read("role: 'eng' reservation {}") == read("reservations { type: DYNAMIC role: 'eng' }"));
  REQUIRE(read("role: 'eng' reservation { principal: 'p' labels { labels { key: 'k' } } }") ==
          read("reservations { type: DYNAMIC role: 'eng' principal: 'p' labels { labels { key: 'k' } } }"));
  REQUIRE(read("role: 'eng'").proto().Get(0).reservations(0).role() == "eng");
  REQUIRE_FALSE(read("role: 'eng'").proto().Get(0).has_reservation());
}

TEST_CASE("one form of reservations only, and each complete") {
  const std::string stack = "reservations { type: STATIC role: 'eng' } ";
  REQUIRE_THAT(complaint(mem + stack + "role: 'eng'"), Contains("not both"));
  REQUIRE_THAT(complaint(mem + stack + "reservation {}"), Contains("not both"));
  REQUIRE_THAT(complaint(mem + "reservation {}"), Contains("reservation needs a role"));
  REQUIRE_THAT(complaint(mem + "role: 'eng' reservation { type: DYNAMIC }"), Contains("reservation.type"));
  REQUIRE_THAT(complaint(mem + "role: 'eng' reservation { role: 'eng' }"), Contains("reservation.role"));
  REQUIRE_THAT(complaint(mem + "reservations { role: 'eng' }"), Contains("reservations[0].type must be STATIC"));
  REQUIRE_THAT(complaint(mem + "reservations { type: DYNAMIC }"), Contains("reservations[0].role"));
  REQUIRE_THAT(complaint(mem + "reservations { type: STATIC role: '*' }"), Contains("must not be '*'"));
  REQUIRE_THAT(complaint(mem + "role: 'a b'"), Contains("spaces"));
}

TEST_CASE("refined reservations are dynamic and go down the tree of roles") {
  const std::string eng = "reservations { type: STATIC role: 'eng' } ";
  REQUIRE(complaint(mem + eng + "reservations { type: DYNAMIC role: 'eng/a' }").empty());
  REQUIRE_THAT(complaint(mem + eng + "reservations { type: STATIC role: 'eng/a' }"),
               Contains("reservations[1].type must be DYNAMIC"));
  for (const char* role : {"eng", "ops", "engine", "en"})
    REQUIRE_THAT(complaint(mem + eng + "reservations { type: DYNAMIC role: '" + role + "' }"),
                 Contains("reservations[1].role must be below"));
}

TEST_CASE("the complaint names the resource, in lists its place too") {
  REQUIRE_THAT(complaint_of_cpus(-1), Contains("resource \"cpus\": scalar.value must be a number from 0 to 1e12"));
  resources::proto_list list;
  *list.Add() = message(mem);
  *list.Add() = message("name: '' type: SCALAR scalar { value: 1 }");
  REQUIRE_THAT(resources::from(list).error().message, Contains("resources[1]") && Contains("name must not be empty"));
}

TEST_CASE("scalars are finite, not negative and not beyond measure") {
  REQUIRE(complaint_of_cpus(0).empty());
  REQUIRE(complaint_of_cpus(1e12).empty());
  for (const double value : {-0.0001, -1e300, 1e12 + 1, 1e300, std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    REQUIRE_THAT(complaint_of_cpus(value), Contains("from 0 to 1e12"));
}

TEST_CASE("gpus are whole") {
  REQUIRE(complaint("name: 'gpus' type: SCALAR scalar { value: 2 }").empty());
  REQUIRE_THAT(complaint("name: 'gpus' type: SCALAR scalar { value: 1.5 }"), Contains("whole number"));
}

TEST_CASE("ranges begin before they end and do not overlap") {
  const auto ranges = [](const std::string& text) {
    return complaint("name: 'ports' type: RANGES ranges {" + text + "}");
  };
  REQUIRE(ranges("range { begin: 5 end: 5 } range { begin: 1 end: 4 }").empty());
  REQUIRE_THAT(ranges("range { begin: 5 end: 4 }"), Contains("range 5-4 must not end before it begins"));
  REQUIRE_THAT(ranges("range { begin: 4 end: 9 } range { begin: 1 end: 4 }"), Contains("1-4 and 4-9 must not overlap"));
  REQUIRE_THAT(ranges("range { begin: 1 end: 18446744073709551615 }"), Contains("1000000000000 at most"));
}

TEST_CASE("items of a set are there once") {
  REQUIRE_THAT(complaint("name: 'tags' type: SET set { item: 'a' item: 'b' item: 'a' }"), Contains("\"a\" twice"));
}

TEST_CASE("the value is the one that type names") {
  REQUIRE_THAT(complaint("name: 'x' type: SCALAR"), Contains("scalar is missing"));
  REQUIRE_THAT(complaint("name: 'x' type: RANGES"), Contains("ranges is missing"));
  REQUIRE_THAT(complaint("name: 'x' type: SET"), Contains("set is missing"));
  REQUIRE_THAT(complaint("name: 'x' type: SCALAR scalar { value: 1 } set {}"), Contains("type is SCALAR"));
  REQUIRE_THAT(complaint("name: 'x' type: TEXT"), Contains("not TEXT"));
}

TEST_CASE("well-known names have their type, others one type each") {
  REQUIRE_THAT(complaint("name: 'cpus' type: SET set {}"), Contains("type must be SCALAR"));
  REQUIRE_THAT(complaint("name: 'ports' type: SCALAR scalar { value: 1 }"), Contains("type must be RANGES"));
  REQUIRE_THAT(resources::parse("x:1;x:{a}").error().message, Contains("one type, not SCALAR and SET"));
}

TEST_CASE("disk is for disks, and says what it is") {
  REQUIRE_THAT(complaint(mem + "disk { source { type: RAW } }"), Contains("\"disk\" only"));
  REQUIRE_THAT(complaint(disk + "disk {}"), Contains("source or a persistence"));
  REQUIRE_THAT(complaint(disk + "disk { volume { container_path: 'a' mode: RW } }"),
               Contains("needs disk.persistence"));
  REQUIRE_THAT(complaint(disk + "disk { persistence { id: 'a/b' } }"), Contains("disk.persistence.id \"a/b\""));
  REQUIRE_THAT(complaint(disk + "disk { source { type: UNKNOWN } }"), Contains("PATH, MOUNT, BLOCK or RAW"));
}

TEST_CASE("sources have the members of their type only") {
  REQUIRE(complaint(disk + "disk { source { type: PATH path { root: '/p' } } }").empty());
  REQUIRE(complaint(disk + "disk { source { type: MOUNT mount { root: '/m' } } }").empty());
  REQUIRE_THAT(complaint(disk + "disk { source { type: PATH mount {} } }"), Contains("disk.source.mount must not"));
  REQUIRE_THAT(complaint(disk + "disk { source { type: MOUNT path {} } }"), Contains("disk.source.path must not"));
  for (const char* type : {"BLOCK", "RAW"})
    for (const char* member : {"path {}", "mount {}"})
      REQUIRE_THAT(complaint(disk + "disk { source { type: " + type + " " + member + " } }"), Contains(type));
}

TEST_CASE("only persistent volumes are shared, and nothing revocable is kept") {
  const std::string volume = "disk { persistence { id: 'v' } } ";
  const std::string dynamic = "reservations { type: DYNAMIC role: 'eng' } ";
  REQUIRE(complaint(disk + volume + "shared {}").empty());
  REQUIRE_THAT(complaint(disk + "shared {}"), Contains("shared may be set on persistent volumes only"));
  REQUIRE_THAT(complaint(disk + volume + "revocable {}"), Contains("cannot hold a persistent volume"));
  REQUIRE_THAT(complaint(mem + dynamic + "revocable {}"), Contains("cannot be reserved dynamically"));
}

TEST_CASE("allocation and provider are checked as roles and ids are") {
  REQUIRE_THAT(complaint(mem + "allocation_info {}"), Contains("allocation_info.role"));
  REQUIRE_THAT(complaint(mem + "allocation_info { role: '/a' }"), Contains("allocation_info.role"));
  REQUIRE_THAT(complaint(mem + "provider_id { value: '..' }"), Contains("provider_id"));
}

TEST_CASE("a message without its required fields is refused, not fatal") {
  troupe::v1::Resource incomplete;
  incomplete.mutable_disk()->mutable_persistence();
  REQUIRE_THAT(complaint(incomplete), Contains("disk.persistence.id"));
}

TEST_CASE("strings are UTF-8, wherever they are") {
  const std::string bad = "\xff";
  auto m = message(disk);
  m.mutable_disk()->mutable_persistence()->set_id("v\xc3\xa9");
  REQUIRE(complaint(m).empty());
  m.mutable_disk()->mutable_persistence()->set_principal(bad);
  REQUIRE_THAT(complaint(m), Contains("UTF-8"));
  m = message("name: 'tags' type: SET set { item: 'a' }");
  m.mutable_set()->add_item("b" + bad);
  REQUIRE_THAT(complaint(m), Contains("UTF-8"));
  for (const char* text : {"name: 'cpus' type: SCALAR scalar { value: 1 }", "name: 'ports' type: RANGES"}) {
    m = message(text);
    m.set_role(bad);
    REQUIRE_THAT(complaint(m), Contains("UTF-8"));
    m = message(text);
    m.mutable_allocation_info()->set_role(bad);
    REQUIRE_THAT(complaint(m), Contains("UTF-8"));
    m = message(text);
    m.mutable_provider_id()->set_value(bad);
    REQUIRE_THAT(complaint(m), Contains("UTF-8"));
  }
  REQUIRE_THAT(resources::parse("\"\\xff\":1").error().message, Contains("UTF-8"));
}
