#include "protocol/roles.hpp"

#include <catch2/catch.hpp>

using Catch::Matchers::Contains;
using troupe::role_strictly_within;
using troupe::role_within;
using troupe::validate_role;

TEST_CASE("a role is within itself and its ancestors") {
  REQUIRE(role_within("eng", "eng"));
  REQUIRE(role_within("eng/backend", "eng"));
  REQUIRE(role_within("eng/backend/db", "eng"));
  REQUIRE_FALSE(role_within("eng", "eng/backend"));
  REQUIRE_FALSE(role_within("engineering", "eng"));
  REQUIRE_FALSE(role_within("ops/eng", "eng"));
  REQUIRE(role_strictly_within("eng/backend", "eng"));
  REQUIRE_FALSE(role_strictly_within("eng", "eng"));
}

TEST_CASE("good names of roles are accepted") {
  for (const char* role : {"*", "eng", "eng/backend", "a.b", "..a", "a-b/c-", "ключ", "a*b"}) {
    INFO(role);
    REQUIRE(validate_role(role));
  }
}

TEST_CASE("bad names of roles are refused, with the rule") {
  const auto why = [](std::string_view role) { return validate_role(role).error().message; };
  REQUIRE_THAT(why(""), Contains("must not be empty"));
  for (const char* role : {"/eng", "eng/", "eng//db", "/"}) REQUIRE_THAT(why(role), Contains("start or end with '/'"));
  for (const char* role : {".", "..", "eng/.", "../eng"}) REQUIRE_THAT(why(role), Contains("'.' or '..'"));
  for (const char* role : {"eng/*", "*/eng"}) REQUIRE_THAT(why(role), Contains("'*' as a whole only"));
  for (const char* role : {"-eng", "eng/-db"}) REQUIRE_THAT(why(role), Contains("starts with '-'"));
  for (const char* role : {"a b", "a\tb", "a\nb", "a\vb", "a\fb", "a\rb", "a\x7f"})
    REQUIRE_THAT(why(role), Contains("spaces or control characters"));
  REQUIRE_THAT(why(std::string_view("a\0b", 3)), Contains("\"a\\x00b\""));
}
