#include "protocol/task_state.hpp"

#include <cstddef>

namespace troupe {

namespace {

/// How far a task has come; steps are only ever taken forwards. UNREACHABLE and UNKNOWN say where nobody can see.
enum class stage { staging, starting, running, killing, ended, out_of_sight };

stage stage_of(v1::TaskState state) {
  switch (state) {
    case v1::TASK_STAGING:
      return stage::staging;
    case v1::TASK_STARTING:
      return stage::starting;
    case v1::TASK_RUNNING:
      return stage::running;
    case v1::TASK_KILLING:
      return stage::killing;
    case v1::TASK_FINISHED:
    case v1::TASK_FAILED:
    case v1::TASK_KILLED:
    case v1::TASK_ERROR:
    case v1::TASK_LOST:
    case v1::TASK_DROPPED:
    case v1::TASK_GONE:
    case v1::TASK_GONE_BY_OPERATOR:
      return stage::ended;
    case v1::TASK_UNREACHABLE:
    case v1::TASK_UNKNOWN:
      return stage::out_of_sight;
  }
  return stage::out_of_sight;
}

}  // namespace

bool is_terminal(v1::TaskState state) {
  return stage_of(state) == stage::ended;
}

bool may_follow(v1::TaskState from, v1::TaskState to) {
  if (is_terminal(from)) return false;
  if (from == to) return true;
  if (to == v1::TASK_UNKNOWN) return false;
  if (to == v1::TASK_UNREACHABLE || stage_of(from) == stage::out_of_sight) return true;
  return stage_of(from) < stage_of(to);
}

v1::TaskState as_told(v1::TaskState state, bool partition_aware) {
  if (partition_aware) return state;
  switch (state) {
    case v1::TASK_DROPPED:
    case v1::TASK_UNREACHABLE:
    case v1::TASK_GONE:
    case v1::TASK_GONE_BY_OPERATOR:
    case v1::TASK_UNKNOWN:
      return v1::TASK_LOST;
    case v1::TASK_STAGING:
    case v1::TASK_STARTING:
    case v1::TASK_RUNNING:
    case v1::TASK_KILLING:
    case v1::TASK_FINISHED:
    case v1::TASK_FAILED:
    case v1::TASK_KILLED:
    case v1::TASK_ERROR:
    case v1::TASK_LOST:
      return state;
  }
  return state;
}

bool holds_resources(v1::TaskState state) {
  return stage_of(state) < stage::ended;
}

std::string_view short_name(v1::TaskState state) {
  constexpr std::string_view prefix = "TASK_";
  // The descriptor's strings live as long as the program.
  std::string_view name = v1::TaskState_Name(state);
  if (name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
  return name.empty() ? "UNDEFINED" : name;
}

}  // namespace troupe
