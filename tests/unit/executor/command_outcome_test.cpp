#include "actors/executor/command_outcome.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace troupe;
using cause = internal::ExecutorState;

namespace {

internal::ContainerExited exited(std::optional<int> wait_status) {
  internal::ContainerExited exit;
  if (wait_status) exit.set_status(*wait_status);
  return exit;
}

constexpr int exit_status(int code) {
  return code << 8;
}

}  // namespace

TEST_CASE("a command that exits with 0 has finished") {
  auto status = command_outcome(exited(exit_status(0)), cause::NOT_ASKED);
  CHECK(status.state() == v1::TASK_FINISHED);
  CHECK(status.exit_status() == 0);
  CHECK(status.message() == "Command exited with status 0");
}

TEST_CASE("a command that exits with another status has failed, and its raw status is told") {
  auto status = command_outcome(exited(exit_status(7)), cause::NOT_ASKED);
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK(status.exit_status() == exit_status(7));
  CHECK(status.message() == "Command exited with status 7");
  CHECK_FALSE(status.has_reason());
}

TEST_CASE("a command that a signal ended has failed, and the signal is named") {
  auto status = command_outcome(exited(SIGKILL), cause::NOT_ASKED);
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK(status.message() == "Command terminated with signal SIGKILL");
}

TEST_CASE("a command whose exit nobody saw has failed without an exit status") {
  auto status = command_outcome(exited(std::nullopt), cause::NOT_ASKED);
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK_FALSE(status.has_exit_status());
}

TEST_CASE("a command that was asked to end is killed, even if it exits with 0") {
  CHECK(command_outcome(exited(exit_status(0)), cause::KILL_ASKED).state() == v1::TASK_KILLED);
  CHECK(command_outcome(exited(SIGTERM), cause::KILL_ASKED).state() == v1::TASK_KILLED);
}

TEST_CASE("a command that ran too long has failed for that reason") {
  auto status = command_outcome(exited(SIGKILL), cause::RAN_TOO_LONG);
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK(status.reason() == v1::TaskStatus::REASON_MAX_COMPLETION_TIME_REACHED);
}

TEST_CASE("a command that ran into its memory limit has failed with the limit's own words and figures") {
  auto exit = exited(SIGKILL);
  exit.set_limitation_reason(v1::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  exit.set_limitation_message("Memory limit exceeded: requested 32 MB, used 33 MB");
  auto* used = exit.mutable_limitation()->add_resources();
  used->set_name("mem");
  used->set_type(v1::Value::SCALAR);
  used->mutable_scalar()->set_value(33);
  auto status = command_outcome(exit, cause::NOT_ASKED);
  CHECK(status.state() == v1::TASK_FAILED);
  CHECK(status.reason() == v1::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  CHECK(status.message() == "Memory limit exceeded: requested 32 MB, used 33 MB");
  CHECK(status.limitation().resources(0).scalar().value() == 33);
  CHECK(status.exit_status() == SIGKILL);
}

TEST_CASE("a limit counts even if the command exits with 0") {
  auto exit = exited(exit_status(0));
  exit.set_limitation_reason(v1::TaskStatus::REASON_CONTAINER_LIMITATION_DISK);
  CHECK(command_outcome(exit, cause::NOT_ASKED).state() == v1::TASK_FAILED);
}
