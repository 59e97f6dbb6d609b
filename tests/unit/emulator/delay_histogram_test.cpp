#include "tools/emulator/delay_histogram.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace troupe;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST_CASE("of no delays every figure is nothing") {
  const delay_histogram none;
  CHECK(none.count() == 0);
  CHECK(none.mean() == nanoseconds(0));
  CHECK(none.rank(0.99) == nanoseconds(0));
  CHECK(none.most() == nanoseconds(0));
}

TEST_CASE("mean and most are exact, ranks within a sixteenth") {
  delay_histogram delays;
  for (int i = 1; i <= 1000; ++i) delays.add(microseconds(i));
  CHECK(delays.count() == 1000);
  CHECK(delays.mean() == nanoseconds(500'500));
  CHECK(delays.most() == microseconds(1000));
  for (auto [portion, exact] : {std::pair{0.5, 500.0}, std::pair{0.9, 900.0}, std::pair{0.99, 990.0}}) {
    const double found = std::chrono::duration<double, std::micro>(delays.rank(portion)).count();
    INFO(portion);
    CHECK(found >= exact);
    CHECK(found <= exact * 17 / 16);
  }
  CHECK(delays.rank(1) == microseconds(1000));
}

TEST_CASE("small delays have a class each") {
  delay_histogram delays;
  for (int ns : {0, 1, 2, 3, 15, 16, 31}) delays.add(nanoseconds(ns));
  CHECK(delays.rank(1.0 / 7) == nanoseconds(0));
  CHECK(delays.rank(4.0 / 7) == nanoseconds(3));
  CHECK(delays.rank(5.0 / 7) == nanoseconds(15));
  CHECK(delays.rank(6.0 / 7) == nanoseconds(16));
}

TEST_CASE("the longest delay there can be is counted, and one of less than nothing as nothing") {
  delay_histogram delays;
  delays.add(nanoseconds(std::numeric_limits<std::int64_t>::max()));
  delays.add(milliseconds(-5));
  CHECK(delays.count() == 2);
  CHECK(delays.rank(0.5) == nanoseconds(0));
  CHECK(delays.most() == nanoseconds(std::numeric_limits<std::int64_t>::max()));
}
