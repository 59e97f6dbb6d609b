#include "protocol/resources_text.hpp"
#include "tests/unit/protocol/resource_texts.hpp"
#include "tests/unit/seeds.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <sstream>

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using troupe::resources;
using troupe::testing::of;

namespace {

std::string why_not(const std::string& text) {
  return resources::parse(text).error().message;
}

}  // namespace

TEST_CASE("the textual form says name, role and value") {
  const auto r = of("cpus:4;mem:2048;disk(eng):1024;ports:[31000-32000,33000-33100];tags:{a,b}");
  REQUIRE(r.scalar("cpus") == 4000);
  REQUIRE(r.reserved_to("eng").scalar("disk") == 1'024'000);
  REQUIRE(r.amounts().at("ports") == 1'102'000);
  REQUIRE(r.text() == "cpus:4; disk(eng):1024; mem:2048; ports:[31000-32000,33000-33100]; tags:{a,b}");
}

TEST_CASE("space means nothing, nor do empty entries") {
  REQUIRE(of(" cpus ( eng ) : 4 ;; ports : [ 1 - 2 , 5 - 6 ] ; tags:{ a , b };\n") ==
          of("cpus(eng):4;ports:[1-2,5-6];tags:{a,b}"));
  REQUIRE(of("").empty());
  REQUIRE(of(" ; ").empty());
}

TEST_CASE("entries without a role go to the default role") {
  REQUIRE(resources::parse("cpus:1;mem(ops):2;disk(*):3", "eng").value() == of("cpus(eng):1;mem(ops):2;disk:3"));
  REQUIRE_THAT(resources::parse("cpus:1", "a b").error().message, Contains("role \"a b\""));
}

TEST_CASE("scalars print with the decimals they need") {
  for (const char* text : {"cpus:0.001", "cpus:0.1", "cpus:1.05", "cpus:1000000000000", "cpus:12.345"})
    REQUIRE(of(text).text() == text);
  REQUIRE(of("cpus:1e3").text() == "cpus:1000");
  REQUIRE(of("cpus:1.50").text() == "cpus:1.5");
}

TEST_CASE("everything about a resource is in its text") {
  for (const char* text :
       {"cpus(eng dynamic by ops){allocated eng}:1", "cpus{provider p, revocable}:2",
        R"(disk(eng, eng/db dynamic labels{labels { key: "k" value: "v" }}){shared, disk{persistence { id: "v" }}}:8)",
        R"(disk{disk{source { type: MOUNT mount { root: "/m" } }}}:8)",
        R"("my \"own\"; thing"("a,b" by "c d"):{"","a b","x\x0ay",z})"}) {
    INFO(text);
    REQUIRE(of(text).text() == text);
  }
  std::ostringstream out;
  out << of("cpus:1;mem:2");
  REQUIRE(out.str() == "cpus:1; mem:2");
}

TEST_CASE("errors name the entry and what would be valid") {
  REQUIRE_THAT(why_not("cpus:1;mem"), StartsWith("entry 2 of the resources, at the end: ':' was expected"));
  REQUIRE_THAT(why_not("cpus:1;mem:x"), StartsWith("entry 2 of the resources, at \"x\"") && Contains("[1-2,5-9]"));
  REQUIRE_THAT(why_not(":1"), Contains("the name is missing"));
  REQUIRE_THAT(why_not("cpus:"), Contains("a value must be a number"));
  REQUIRE_THAT(why_not("cpus:1 2"), Contains("a value must be a number"));
  for (const char* number : {"0x10", "inf", "nan", "1e999", "1,5"})
    REQUIRE_THAT(why_not(std::string("cpus:") + number), Contains("a value must be a number"));
  REQUIRE_THAT(why_not("cpus:-1"), Contains("resource \"cpus\"") && Contains("from 0 to 1e12"));
  REQUIRE_THAT(why_not("cpus(eng:1"), Contains("',' or ')' was expected"));
  REQUIRE_THAT(why_not("cpus():1"), Contains("the role is missing"));
  REQUIRE_THAT(why_not("cpus(eng static):1"), Contains("at \"static):1\""));
  REQUIRE_THAT(why_not("cpus(eng by):1"), Contains("the principal is missing"));
  REQUIRE_THAT(why_not("cpus{fast}:1"), Contains("allocated, provider, revocable, shared or disk"));
  REQUIRE_THAT(why_not("cpus{revocable:1"), Contains("'}' was expected"));
  REQUIRE_THAT(why_not("\"cpus:1"), Contains("the closing '\"' is missing"));
  REQUIRE_THAT(why_not("\"cp\\us\":1"), Contains("after a backslash"));
}

TEST_CASE("ranges and sets must be whole") {
  for (const char* ranges : {"[1]", "[1-]", "[-1]", "[a-b]", "[1-2", "[1-2,]", "[1.5-2]", "[1-99999999999999999999]"})
    REQUIRE_THAT(why_not(std::string("ports:") + ranges), StartsWith("entry 1 of the resources"));
  REQUIRE_THAT(why_not("ports:[1-2]3"), Contains("';' was expected between entries"));
  REQUIRE_THAT(why_not("ports:[5-4]"), Contains("range 5-4"));
  REQUIRE_THAT(why_not("tags:{a,,b}"), Contains("must not be empty"));
  REQUIRE_THAT(why_not("tags:{a"), Contains("'}' was expected"));
}

TEST_CASE("what stands in protobuf's text format is bounded and complete") {
  REQUIRE_THAT(why_not("disk{disk{persistence {}}}:1"), Contains("missing required fields"));
  REQUIRE_THAT(why_not("disk{disk{nonsense: 1}}:1"), Contains("DiskInfo expected"));
  REQUIRE_THAT(why_not("disk{disk{persistence { id: \"}\" }:1"), Contains("the closing '}' is missing"));
  std::string deep = "disk{disk{";
  for (int i = 0; i < 100'000; ++i) deep += "volume {";
  REQUIRE_FALSE(resources::parse(deep + std::string(100'000, '}') + "}}:1"));
}

TEST_CASE("an error shows a piece of a long text, not all of it") {
  REQUIRE(why_not("cpus:" + std::string(1'000'000, 'x')).size() < 300);
  REQUIRE(why_not(std::string(1'000'000, 'x') + ":-1").size() < 300);
}

TEST_CASE("no damage to a text does more than make it wrong") {
  const std::string whole =
      R"(disk(eng, eng/db dynamic by "o p"){shared, disk{persistence { id: "v" }}}:8;p:[1-2];t:{a,"b"})";
  const auto seeds = troupe::test::seeds(5000);
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 bits(seed);
    auto text = whole;
    for (auto n = 1 + bits() % 3; n > 0; --n) {
      const auto at = bits() % text.size();
      if (bits() % 2 == 0)
        text[at] = static_cast<char>(bits() % 256);
      else
        text.erase(at, 1 + bits() % 4);
    }
    const auto read = resources::parse(text);
    if (read)
      read->check_invariants();
    else
      ++refused;
  }
  REQUIRE(refused > seeds / 5);
  REQUIRE(refused < seeds);
}
