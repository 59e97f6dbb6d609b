#include "actors/elector/elector.hpp"

#include <catch2/catch.hpp>

TEST_CASE("the elector's core takes its first step in a program of its own") {
  troupe::elector core{troupe::elector_options{}};
  troupe::internal::Recovered recovered;
  recovered.set_id("one");
  troupe::Envelope head;
  head.set_verb(troupe::verb_number<troupe::internal::Recovered>::value);
  troupe::context now;
  now.incarnation = 1;
  const auto out = core.on(head, recovered, now);
  core.check_invariants();
  REQUIRE(out.letters.size() == 1);
  CHECK(out.letters[0].verb == troupe::verb_number<troupe::internal::OpenSession>::value);
}
