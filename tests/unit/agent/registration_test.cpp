#include "actors/agent/registration.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {
const monotonic_time start{1h};
const registration::backoff waits{1s, 60s};
}  // namespace

TEST_CASE("the wait before the n-th attempt is random, below a bound that doubles up to a minute") {
  random_stream random(3);
  std::chrono::nanoseconds longest[9] = {};
  for (int round = 0; round < 300; ++round) {
    registration r;
    r.seek(start, random, waits);
    for (auto& seen : longest) {
      auto wait = *r.next_attempt() - start;
      CHECK(wait >= 0s);
      seen = std::max<std::chrono::nanoseconds>(seen, wait);
      r.attempted(start, random, waits);
    }
  }
  std::chrono::nanoseconds bound = 1s;
  for (auto seen : longest) {
    CHECK(seen <= bound);
    CHECK(seen > bound / 2);
    bound = std::min<std::chrono::nanoseconds>(bound * 2, 60s);
  }
}

TEST_CASE("the first link since the start is used at once, later ones after a random wait") {
  random_stream random(3);
  registration r;
  r.seek(start, random, waits);
  r.linked(start);
  CHECK(r.next_attempt() == start);
  r.attempted(start, random, waits);
  r.linked(start + 1h);
  CHECK(r.next_attempt() == start + 1h);  // not answered yet
  r.accepted(start + 1h, 75s);
  std::chrono::nanoseconds longest{0};
  for (int round = 0; round < 300; ++round) {
    r.seek(start, random, waits);
    r.linked(start);
    longest = std::max<std::chrono::nanoseconds>(longest, *r.next_attempt() - start);
  }
  CHECK(longest <= 1s);
  CHECK(longest > 500ms);
}

TEST_CASE("a dismissed agent asks over no link") {
  registration r;
  r.dismiss("gone");
  r.linked(start);
  CHECK_FALSE(r.next_attempt());
}

TEST_CASE("once accepted there are no more attempts, but a deadline for pings that each ping moves") {
  random_stream random(3);
  registration r;
  r.seek(start, random, waits);
  r.accepted(start, 75s);
  CHECK(r.registered());
  CHECK_FALSE(r.next_attempt());
  CHECK(r.ping_deadline() == start + 75s);
  r.pinged(start + 15s);
  CHECK(r.ping_deadline() == start + 90s);
}

TEST_CASE("a refusal is remembered, asked about once a minute, and forgotten when it is over") {
  random_stream random(3);
  registration r;
  r.seek(start, random, waits);
  r.refused("no", start, waits);
  CHECK(r.refusal() == "no");
  CHECK(r.next_attempt() == start + 60s);
  r.accepted(start, 75s);
  CHECK(r.refusal().empty());
}

TEST_CASE("who is dismissed never comes back") {
  random_stream random(3);
  registration r;
  r.accepted(start, 75s);
  r.dismiss("gone");
  r.seek(start, random, waits);
  r.accepted(start, 75s);
  r.refused("no", start, waits);
  CHECK(r.dismissed());
  CHECK_FALSE(r.next_attempt());
  CHECK_FALSE(r.ping_deadline());
}
