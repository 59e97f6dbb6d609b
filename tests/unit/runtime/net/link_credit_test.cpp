#include "actors/runtime/net/link_credit.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <random>

namespace troupe {

TEST_CASE("credit is used up, returned, and never returned twice") {
  outgoing_credit credit(100);
  CHECK(credit.allows(100));
  credit.spend(60);
  CHECK(credit.allows(40));
  CHECK_FALSE(credit.allows(41));
  CHECK(credit.give(60));
  CHECK_FALSE(credit.give(1));
  CHECK(credit.allows(100));
}

TEST_CASE("what is larger than half the window may also go while half of it is free") {
  outgoing_credit credit(100);
  credit.spend(50);
  CHECK(credit.allows(51));
  CHECK(credit.allows(1000));
  credit.spend(1);
  CHECK_FALSE(credit.allows(51));
  CHECK_FALSE(credit.allows(1000));
}

TEST_CASE("credit is returned in quarters of the window, not letter by letter") {
  incoming_credit credit(100);
  for (int i = 0; i < 24; ++i) {
    REQUIRE(credit.arrived(1));
    CHECK_FALSE(credit.released(1));
  }
  REQUIRE(credit.arrived(1));
  CHECK(credit.released(1));
  CHECK(credit.take() == 25);
  CHECK_FALSE(credit.due());
}

TEST_CASE("no stream of letters, whatever their sizes, makes both ends wait for each other or overrun the receiver") {
  const auto window = GENERATE(as<std::uint64_t>{}, 1, 2, 3, 7, 100, 1000);
  std::mt19937_64 random(window);
  outgoing_credit out(window);
  incoming_credit in(window);
  std::deque<std::uint64_t> held;
  std::uint64_t next = 1;
  for (int step = 0; step < 20000; ++step) {
    if (out.allows(next)) {
      out.spend(next);
      REQUIRE(in.arrived(next));
      held.push_back(next);
      next = 1 + random() % (3 * window);
    } else {
      // The sender waits: with nothing held and nothing due it would wait for ever.
      REQUIRE_FALSE(held.empty());
      in.released(held.front());
      held.pop_front();
    }
    if (in.due()) REQUIRE(out.give(in.take()));
  }
}

}  // namespace troupe
