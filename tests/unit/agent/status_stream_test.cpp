#include "actors/agent/status_stream.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

v1::TaskStatus status(const std::string& uuid, v1::TaskState state = v1::TASK_RUNNING) {
  v1::TaskStatus s;
  s.mutable_task_id()->set_value("t");
  s.set_state(state);
  s.set_uuid(uuid);
  return s;
}

const monotonic_time start{1h};

}  // namespace

TEST_CASE("a stream's head stays until it is acknowledged, and only it can be") {
  status_stream stream(executor_id("e"));
  CHECK(stream.append(status("a")) == 1);
  CHECK(stream.append(status("b", v1::TASK_FINISHED)) == 2);
  CHECK(stream.head().uuid() == "a");
  CHECK(stream.latest() == v1::TASK_FINISHED);
  CHECK_FALSE(stream.acknowledge("b"));
  CHECK(stream.acknowledge("a") == 1);
  CHECK_FALSE(stream.acknowledge("a"));
  CHECK(stream.head().uuid() == "b");
}

TEST_CASE("a stream knows what waits and what was acknowledged lately") {
  status_stream stream(executor_id("e"));
  stream.append(status("a"));
  stream.append(status("b"));
  stream.acknowledge("a");
  CHECK(stream.knows("a"));
  CHECK(stream.knows("b"));
  CHECK_FALSE(stream.knows("c"));
}

TEST_CASE("what a stream knows of the past is bounded") {
  status_stream stream(executor_id("e"));
  for (int i = 0; i < 200; ++i) {
    stream.append(status("u" + std::to_string(i)));
    stream.acknowledge("u" + std::to_string(i));
  }
  CHECK(stream.knows("u199"));
  CHECK(stream.knows("u136"));
  CHECK_FALSE(stream.knows("u135"));
}

TEST_CASE("a head is due again after 10 s, doubling to 10 min, and a new head starts anew") {
  status_stream stream(executor_id("e"));
  stream.append(status("a"));
  stream.append(status("b"));
  CHECK_FALSE(stream.due());
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 8; ++i) {
    stream.sent(start, 10s, 10min);
    pauses.push_back(std::chrono::duration_cast<std::chrono::seconds>(*stream.due() - start).count());
  }
  CHECK(pauses == std::vector<std::int64_t>{10, 20, 40, 80, 160, 320, 600, 600});
  stream.acknowledge("a");
  CHECK_FALSE(stream.due());
  stream.sent(start, 10s, 10min);
  CHECK(*stream.due() - start == 10s);
}

TEST_CASE("numbers go on after those that were found in the store") {
  status_stream stream(executor_id("e"));
  stream.recover(5, status("a"));
  stream.recover(6, status("b"));
  CHECK(stream.append(status("c")) == 7);
}
