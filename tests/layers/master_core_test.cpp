#include "actors/master/master.hpp"

#include <catch2/catch.hpp>

TEST_CASE("the master's core takes its first step in a program of its own") {
  troupe::master core;
  troupe::internal::Recovered recovered;
  recovered.set_id("one");
  troupe::Envelope head;
  head.set_verb(troupe::verb_number<troupe::internal::Recovered>::value);
  troupe::context now;
  now.incarnation = 1;
  core.on(head, recovered, now);
  core.check_invariants();
  CHECK(core.epoch() == 1);
}
