#include "actors/executor/executor.hpp"
#include "actors/runtime/uuid.hpp"
#include "protocol/mutant.hpp"
#include "protocol/task_state.hpp"

#include <algorithm>
#include <utility>

/// Tasks: from the launch to the last report.
namespace troupe {

namespace {

void set(v1::Environment& environment, const std::string& name, const std::string& value) {
  auto* variable = environment.add_variables();
  variable->set_name(name);
  variable->set_value(value);
}

/// Under the names that programs written for Mesos look for, and under ours.
void set_both(v1::Environment& environment, const std::string& name, const std::string& value) {
  set(environment, "MESOS_" + name, value);
  set(environment, "TROUPE_" + name, value);
}

std::string allocation_role(const v1::TaskInfo& info) {
  for (const auto& resource : info.resources())
    if (resource.allocation_info().has_role()) return resource.allocation_info().role();
  return {};
}

}  // namespace

bool executor::knows(const task_id& id) const {
  auto is_it = [&](const auto& other) { return task_id(other) == id; };
  return std::any_of(state_.ended().begin(), state_.ended().end(), is_it) ||
         std::any_of(state_.tasks().begin(), state_.tasks().end(),
                     [&](const task& t) { return is_it(t.info().task_id()); });
}

executor::task* executor::find(const task_id& id) {
  for (auto& t : *state_.mutable_tasks())
    if (task_id(t.info().task_id()) == id) return &t;
  return nullptr;
}

executor::task* executor::find_by_container(const container_id& id) {
  for (auto& t : *state_.mutable_tasks())
    if (container_id(t.container_id()) == id) return &t;
  return nullptr;
}

/// The first task lives in the executor's own container; a further one, which only a custom launch can bring, in one of
/// its own.
void executor::handle(step& s, const executor_api::Event::Launch& launched) {
  const auto& info = launched.task();
  if (knows(info.task_id())) {
    s.log("task.launch_repeated task=" + info.task_id().value());
    return;
  }
  bool first = state_.tasks().empty() && state_.ended().empty();
  const auto& home = options_.spawn;
  auto* t = state_.add_tasks();
  *t->mutable_info() = info;
  t->set_state(v1::TASK_STAGING);
  *t->mutable_container_id() = first ? home.container_id() : further_container(info.task_id()).proto();
  t->set_sandbox(first ? home.sandbox() : home.sandbox() + "/tasks/" + info.task_id().value());
  if (state_.shutting_down()) {
    v1::TaskStatus outcome;
    outcome.set_state(v1::TASK_KILLED);
    outcome.set_message("The executor was shutting down when the task arrived");
    end(s, task(*t), std::move(outcome));
    return;
  }
  report_state(s, *t, v1::TASK_STARTING);
  launch(s, *t);
}

container_id executor::further_container(const task_id& id) const {
  return container_id(named_uuid(options_.spawn.container_id().value() + "/" + id.value()));
}

/// The executor's own container is released by its agent. Of the first task's there is none other: nothing happens.
void executor::release_further(step& s, const task_id& id) const {
  if (state_.ended_size() + state_.tasks_size() < 2) return;
  internal::ReleaseContainer release;
  *release.mutable_container_id() = further_container(id).proto();
  s.say(address(internal::CONTAINERIZER, "local"), std::move(release));
}

void executor::launch(step& s, const task& t) {
  internal::LaunchContainer plan;
  *plan.mutable_container_id() = t.container_id();
  *plan.mutable_command() = t.info().command();
  *plan.mutable_resources() = t.info().resources();
  *plan.mutable_limits() = t.info().limits();
  if (t.info().container().has_rlimit_info()) *plan.mutable_rlimits() = t.info().container().rlimit_info();
  plan.set_sandbox(t.sandbox());
  *plan.mutable_environment() = environment_of(t);
  plan.set_user(options_.spawn.framework().user());
  plan.set_only_if_known(options_.spawn.resumes() && !mutated(mutant::command_runs_twice));
  s.log("container.launch container=" + t.container_id().value() + " task=" + t.info().task_id().value());
  s.say(address(internal::CONTAINERIZER, "local"), std::move(plan));
}

v1::Environment executor::environment_of(const task& t) const {
  v1::Environment environment;
  set_both(environment, "FRAMEWORK_ID", options_.spawn.framework().id().value());
  set_both(environment, "EXECUTOR_ID", options_.spawn.info().executor_id().value());
  set_both(environment, "TASK_ID", t.info().task_id().value());
  set_both(environment, "SANDBOX", t.sandbox());
  if (auto role = allocation_role(t.info()); !role.empty()) set_both(environment, "ALLOCATION_ROLE", role);
  set(environment, "MESOS_DIRECTORY", t.sandbox());
  set(environment, "TROUPE_CONTAINER_ID", t.container_id().value());
  return environment;
}

/// The last report of a task; takes a copy because the task is forgotten.
void executor::end(step& s, const task& t, v1::TaskStatus outcome) {
  task_id id = t.info().task_id();
  s.log("task.ended task=" + id.value() + " state=" + std::string(short_name(outcome.state())) +
        " message=" + outcome.message());
  auto& tasks = *state_.mutable_tasks();
  tasks.erase(std::remove_if(tasks.begin(), tasks.end(),
                             [&](const task& other) { return task_id(other.info().task_id()) == id; }),
              tasks.end());
  *state_.add_ended() = id.proto();
  report(s, id, std::move(outcome));
}

}  // namespace troupe
