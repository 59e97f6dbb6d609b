#include "protocol/attributes.hpp"

#include <catch2/catch.hpp>

#include <limits>

using Catch::Matchers::Contains;
using troupe::parse_attributes;
using troupe::text_of;
using troupe::validate_attributes;
using troupe::v1::Value;

namespace {

std::string why_not(const std::string& text) {
  return parse_attributes(text).error().message;
}

}  // namespace

TEST_CASE("attributes are numbers, ranges, sets or text") {
  const auto list = parse_attributes(" rack : 2 ; zone: east ;r:[1-3,7-9]; tags:{a, b};").value();
  REQUIRE(list.size() == 4);
  REQUIRE(list.Get(0).name() == "rack");
  REQUIRE(list.Get(0).type() == Value::SCALAR);
  REQUIRE(list.Get(0).scalar().value() == 2);
  REQUIRE(list.Get(1).type() == Value::TEXT);
  REQUIRE(list.Get(1).text().value() == "east");
  REQUIRE(list.Get(2).type() == Value::RANGES);
  REQUIRE(list.Get(2).ranges().range(1).end() == 9);
  REQUIRE(list.Get(3).type() == Value::SET);
  REQUIRE(list.Get(3).set().item(1) == "b");
}

TEST_CASE("text goes on until the next entry, and quotes make text of anything") {
  const auto list = parse_attributes(R"(os:debian 12: bookworm;version:"12";odd:"a;b")").value();
  REQUIRE(list.Get(0).text().value() == "debian 12: bookworm");
  REQUIRE(list.Get(1).text().value() == "12");
  REQUIRE(list.Get(2).text().value() == "a;b");
}

TEST_CASE("a name may come twice, in order") {
  REQUIRE(text_of(parse_attributes("a:x;a:y").value()) == "a:x; a:y");
  REQUIRE(parse_attributes("").value().empty());
}

TEST_CASE("attributes print as they are read") {
  for (const char* text :
       {"rack:2; zone:east; r:[1-3]; tags:{a,b}", "n:0.1; n:1e+30; n:-4", R"(v:"12"; "a b":"c d"; e:"")"}) {
    INFO(text);
    REQUIRE(text_of(parse_attributes(text).value()) == text);
  }
}

TEST_CASE("errors in attributes name the entry") {
  REQUIRE_THAT(why_not("a:1;b"), Contains("entry 2 of the attributes") && Contains("':' was expected"));
  REQUIRE_THAT(why_not("a:"), Contains("a value is missing"));
  REQUIRE_THAT(why_not(":1"), Contains("the name is missing"));
  REQUIRE_THAT(why_not("a:[1-x]"), Contains("two whole numbers"));
  REQUIRE_THAT(why_not("a:[3-1]"), Contains("attribute \"a\"") && Contains("range 3-1"));
  REQUIRE_THAT(why_not("a:[1-3] b"), Contains("';' was expected"));
}

TEST_CASE("an attribute from outside has exactly the value of its type") {
  const auto check = [](auto change) {
    troupe::attribute_list list;
    auto* a = list.Add();
    a->set_name("a");
    a->set_type(Value::SCALAR);
    a->mutable_scalar()->set_value(1);
    change(a);
    const auto ok = validate_attributes(list);
    return ok ? std::string() : ok.error().message;
  };
  REQUIRE(check([](auto*) {}).empty());
  REQUIRE_THAT(check([](auto* a) { a->set_name(""); }), Contains("name must not be empty"));
  REQUIRE_THAT(check([](auto* a) { a->clear_scalar(); }), Contains("type is SCALAR"));
  REQUIRE_THAT(check([](auto* a) { a->mutable_text()->set_value("x"); }), Contains("type is SCALAR"));
  REQUIRE_THAT(check([](auto* a) { a->set_type(Value::TEXT); }), Contains("type is TEXT"));
  REQUIRE_THAT(check([](auto* a) { a->clear_type(); }), Contains("missing required fields"));
  REQUIRE_THAT(check([](auto* a) { a->mutable_scalar()->set_value(std::numeric_limits<double>::quiet_NaN()); }),
               Contains("finite"));
}
