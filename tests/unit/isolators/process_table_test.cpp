#include "isolators/process_table.hpp"

#include <unistd.h>
#include <catch2/catch.hpp>

namespace troupe {
namespace {

const std::string after_state = " 10 20 30 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 2000";

}  // namespace

TEST_CASE("a process's stat line is read, whatever its name") {
  for (const std::string name : {"sh", "a b", ") R 1 1 1", "((("}) {
    CAPTURE(name);
    auto stat = parse_process_stat("42 (" + name + ") S" + after_state);
    REQUIRE(stat.has_value());
    CHECK(stat->identity.pid == 42);
    CHECK(stat->identity.start_time == 987654);
    CHECK(stat->state == 'S');
    CHECK(stat->parent == 10);
    CHECK(stat->session == 30);
  }
}

TEST_CASE("a cut-off stat line is refused") {
  CHECK(parse_process_stat("").has_error());
  CHECK(parse_process_stat("42 (sh").has_error());
  CHECK(parse_process_stat("42 (sh) S 10 20").has_error());
}

TEST_CASE("a process is told apart from a later one of the same number") {
  CHECK_FALSE(is_alive({::getpid(), 1}));
  CHECK_FALSE(kill_session({::getpid(), 1}));
}

}  // namespace troupe
