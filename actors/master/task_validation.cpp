#include "actors/master/task_validation.hpp"

#include "actors/master/offer_form.hpp"
#include "protocol/quoting.hpp"
#include "protocol/validation.hpp"

#include <google/protobuf/util/message_differencer.h>

#include <utility>

namespace troupe {

namespace {

result<void> check_ids(const v1::TaskInfo& task, const launch_site& site) {
  if (auto valid = validate_id("task_id", task.task_id().value()); !valid) return valid;
  const task_id id = task.task_id();
  if (site.owner.tasks.count(id) != 0)
    return invalid("task_id " + quoted(id.value()) + " is already used by a task that has not ended");
  if (site.owner.unreachable.find(id) != nullptr)
    return invalid("task_id " + quoted(id.value()) + " is already used by a task on an agent that is unreachable");
  if (agent_id(task.agent_id()) != site.agent.id)
    return invalid("agent_id must be that of the offer, " + site.agent.id.value() + ", not " +
                   quoted(task.agent_id().value()));
  return {};
}

result<void> check_executor(const v1::TaskInfo& task, const launch_site& site) {
  if (task.has_command() == task.has_executor())
    return invalid(task.has_command() ? "a task must have either a command or an executor, not both"
                                      : "a task must have a command or an executor");
  if (!task.has_executor()) return {};
  const auto& executor = task.executor();
  if (auto valid = validate_id("executor.executor_id", executor.executor_id().value()); !valid) return valid;
  if (executor.type() == v1::ExecutorInfo::DEFAULT)
    return invalid("executor.type DEFAULT is for LAUNCH_GROUP; a launched task needs CUSTOM, or no type");
  if (!executor.has_command()) return invalid("executor.command must be set");
  if (framework_id(executor.framework_id()) != site.owner.id)
    return invalid("executor.framework_id must be the framework's own, " + site.owner.id.value());
  auto running = site.agent.executors.find({site.owner.id, executor.executor_id()});
  if (running != site.agent.executors.end() &&
      !google::protobuf::util::MessageDifferencer::Equals(running->second.info, executor))
    return invalid("executor " + quoted(executor.executor_id().value()) +
                   " already runs on the agent with another description; use that one, or another executor_id");
  return {};
}

result<resources> parsed(const resources::proto_list& list, std::string_view field) {
  auto what = resources::from(list);
  if (!what) return invalid(std::string(field) + ": " + what.error().message);
  return what;
}

result<launch_claim> check_resources(const v1::TaskInfo& task, const launch_site& site) {
  if (task.resources().empty()) return invalid("resources must not be empty");
  auto own = parsed(task.resources(), "resources");
  if (!own) return own.error();
  if (own->empty()) return invalid("resources must not be empty");
  auto of_executor = parsed(task.executor().resources(), "executor.resources");
  if (!of_executor) return of_executor.error();
  if (!of_executor->shared().empty()) return invalid("executor.resources must not be shared");
  if (own->overlaps(*of_executor))
    return invalid("resources and executor.resources must not overlap in ranges or sets");
  const auto all = *own + *of_executor;
  for (const auto check :
       {validate_single_allocation, validate_single_provider, validate_revocability, validate_volume_ids})
    if (auto valid = check(all); !valid) return invalid("resources: " + valid.error().message);
  launch_claim claim{*own, {}};
  if (task.has_executor() && site.agent.executors.count({site.owner.id, task.executor().executor_id()}) == 0)
    claim.executor = *of_executor;
  const auto needed = claim.task + claim.executor;
  if (site.pool.contains(needed)) return claim;
  const auto bare = needed.unallocated();
  const auto left = site.pool.unallocated();
  if (left.contains(bare)) return invalid("resources must be allocated to the role of the offer");
  return invalid("resources: the task needs " + bare.text() + ", and the offer has only " + left.text() + " left");
}

}  // namespace

v1::TaskInfo with_defaults(v1::TaskInfo task, const framework_id& owner, const std::string& role) {
  tag_missing(task.mutable_resources(), role);
  if (task.has_executor()) {
    auto* executor = task.mutable_executor();
    tag_missing(executor->mutable_resources(), role);
    if (!executor->has_framework_id()) *executor->mutable_framework_id() = owner.proto();
  }
  if (task.has_health_check() && !task.health_check().has_type()) {
    auto* check = task.mutable_health_check();
    if (check->has_command())
      check->set_type(v1::HealthCheck::COMMAND);
    else if (check->has_http())
      check->set_type(v1::HealthCheck::HTTP);
  }
  return task;
}

result<launch_claim> validate_task(const v1::TaskInfo& task, const launch_site& site) {
  if (auto valid = check_ids(task, site); !valid) return valid.error();
  if (auto valid = check_executor(task, site); !valid) return valid.error();
  if (auto valid = validate_task_shape(task); !valid) return valid.error();
  return check_resources(task, site);
}

}  // namespace troupe
