#include "protocol/utf8.hpp"

#include "protocol/quoting.hpp"

#include <catch2/catch.hpp>

using troupe::is_utf8;
using troupe::quoted;

TEST_CASE("well-formed UTF-8 is accepted") {
  for (const char* text :
       {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf", "\xf0\x9f\x8e\xad", "\xf4\x8f\xbf\xbf"})
    REQUIRE(is_utf8(std::string_view(text)));
}

TEST_CASE("broken, overlong, surrogate and too large sequences are not UTF-8") {
  for (const char* text : {"\x80", "\xc3", "a\xff", "\xc0\xaf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xe2\x28\xa1"})
    REQUIRE_FALSE(is_utf8(std::string_view(text)));
}

TEST_CASE("quoting leaves valid characters whole and makes the rest visible") {
  REQUIRE(quoted("a\"b\\c\n") == R"("a\"b\\c\x0a")");
  REQUIRE(quoted("\xe2\x82\xac\xff") == "\"\xe2\x82\xac\\xff\"");
  REQUIRE(quoted("abc", 2) == "\"ab…\"");
  REQUIRE(quoted("ab", 2) == "\"ab\"");
  REQUIRE(quoted("a\xe2\x82\xac!", 2) == "\"a\xe2\x82\xac…\"");
  REQUIRE(troupe::plain_or_quoted("eng/db") == "eng/db");
  REQUIRE(troupe::plain_or_quoted("") == "\"\"");
}
