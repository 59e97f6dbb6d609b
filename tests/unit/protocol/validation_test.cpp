#include "protocol/validation.hpp"
#include "tests/unit/protocol/resource_texts.hpp"

#include <catch2/catch.hpp>

using Catch::Matchers::Contains;
using troupe::testing::message;
using troupe::testing::of;

TEST_CASE("ids of 1 to 255 ordinary characters are accepted") {
  for (const auto& id : {std::string("a"), std::string("task.1-x y"), std::string("..."), std::string(255, 'x')})
    REQUIRE(troupe::validate_id("task_id", id));
}

TEST_CASE("other ids are refused, with the field and the rule") {
  const auto why = [](std::string_view id) { return troupe::validate_id("task_id", id).error().message; };
  REQUIRE_THAT(why(""), Contains("task_id \"\" must not be empty"));
  REQUIRE_THAT(why(std::string(256, 'x')), Contains("at most 255"));
  for (const char* id : {".", ".."}) REQUIRE_THAT(why(id), Contains("'.' or '..'"));
  for (const char* id : {"a/b", "a\\b", "a\nb", "a\x7f", "\x01"}) REQUIRE_THAT(why(id), Contains("control characters"));
  REQUIRE_THAT(why(std::string_view("a\0", 2)), Contains("\\x00"));
}

TEST_CASE("a list of resources is valid if it can be read") {
  troupe::resources::proto_list list;
  *list.Add() = message("name: 'cpus' type: SCALAR scalar { value: 1 }");
  REQUIRE(troupe::validate_resources(list));
  *list.Add() = message("name: 'cpus' type: SCALAR scalar { value: -1 }");
  REQUIRE_THAT(troupe::validate_resources(list).error().message, Contains("resources[1]"));
}

TEST_CASE("what one launch uses is allocated to one role") {
  REQUIRE(troupe::validate_single_allocation(of("cpus{allocated eng}:1;mem{allocated eng}:1")));
  REQUIRE_THAT(troupe::validate_single_allocation(of("cpus:1")).error().message, Contains("must have allocation_info"));
  REQUIRE_THAT(troupe::validate_single_allocation(of("cpus{allocated eng}:1;cpus{allocated ops}:1")).error().message,
               Contains("\"eng\" and \"ops\""));
}

TEST_CASE("an operation uses one resource provider") {
  REQUIRE(troupe::validate_single_provider(of("cpus:1;mem:1")));
  REQUIRE(troupe::validate_single_provider(of("disk{provider p}:1;x{provider p}:1")));
  REQUIRE_THAT(troupe::validate_single_provider(of("cpus:1;disk{provider p}:1")).error().message,
               Contains("\"the agent\" and \"p\""));
}

TEST_CASE("a name is not used revocably and otherwise at once") {
  REQUIRE(troupe::validate_revocability(of("cpus{revocable}:1;mem:1")));
  REQUIRE_THAT(troupe::validate_revocability(of("cpus{revocable}:1;cpus:1")).error().message, Contains("\"cpus\""));
}

TEST_CASE("volume ids are unique within their role") {
  const auto volume = [](const std::string& role, const std::string& id, const std::string& rest) {
    return of("disk(" + role + "){" + rest + "disk{persistence { id: \"" + id + "\" }}}:1");
  };
  const auto v = volume("eng", "v", "");
  REQUIRE(troupe::validate_volume_ids(v + volume("ops", "v", "") + volume("eng", "w", "")));
  REQUIRE_THAT(troupe::validate_volume_ids(v + v).error().message,
               Contains("\"v\" must be unique within the role \"eng\""));
  REQUIRE_FALSE(troupe::validate_volume_ids(v + volume("eng", "v", "provider p, ")));
  const auto shared = volume("eng", "v", "shared, ");
  REQUIRE(troupe::validate_volume_ids(shared + shared));
  REQUIRE(troupe::validate_volume_ids(shared + volume("eng", "v", "allocated eng, shared, ")));
  REQUIRE_FALSE(troupe::validate_volume_ids(shared + v));
}
