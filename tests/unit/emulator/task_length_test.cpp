#include "tools/emulator/task_length.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace troupe;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

std::vector<nanoseconds> drawn(task_length length, std::uint64_t seed, std::size_t count) {
  task_lengths lengths(length, seed);
  std::vector<nanoseconds> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(lengths.next());
  return all;
}

}  // namespace

TEST_CASE("a task length is a mean, or a mean and a deviation, in seconds") {
  CHECK(parse_task_length("0").value().mean == nanoseconds(0));
  CHECK(parse_task_length("0.5").value().mean == milliseconds(500));
  CHECK(parse_task_length("30:10").value().mean == seconds(30));
  CHECK(parse_task_length("30:10").value().deviation == seconds(10));
  CHECK(parse_task_length("30").value().deviation == seconds(0));
}

TEST_CASE("what is no task length is refused with an example of one") {
  for (const auto* text : {"", ":", "30:", ":10", "30s", "-1", "30:-1", "nan", "inf", "1e10", "30:10:5", " 1", "1 "}) {
    INFO(text);
    auto parsed = parse_task_length(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().message.find("30:10") != std::string::npos);
  }
}

TEST_CASE("the lengths drawn have the mean and the deviation that were asked for") {
  const auto all = drawn({seconds(30), seconds(5)}, 1, 20'000);
  double sum = 0, squares = 0;
  for (auto each : all) {
    const double s = std::chrono::duration<double>(each).count();
    sum += s;
    squares += s * s;
  }
  const double mean = sum / 20'000;
  CHECK(mean == Approx(30).margin(0.2));
  CHECK(std::sqrt(squares / 20'000 - mean * mean) == Approx(5).margin(0.2));
}

TEST_CASE("a length is never less than nothing, and without a deviation always the mean") {
  for (auto each : drawn({seconds(1), seconds(10)}, 2, 1'000)) REQUIRE(each.count() >= 0);
  for (auto each : drawn({seconds(3), seconds(0)}, 3, 10)) CHECK(each == seconds(3));
}

TEST_CASE("the same seed draws the same lengths, another one others") {
  const task_length length{seconds(30), seconds(10)};
  CHECK(drawn(length, 7, 100) == drawn(length, 7, 100));
  CHECK(drawn(length, 7, 100) != drawn(length, 8, 100));
}
