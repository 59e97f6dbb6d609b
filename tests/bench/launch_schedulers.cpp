#include "tests/bench/launch_schedulers.hpp"

namespace troupe::bench {

v1::FrameworkInfo launch_bench_framework() {
  v1::FrameworkInfo info;
  info.set_name("launch-bench");
  info.set_user("root");
  info.add_roles("*");
  info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
  return info;
}

v1::TaskInfo launch_bench_task(const std::string& id, const std::string& program, const std::string& argument) {
  v1::TaskInfo task;
  task.set_name("bench");
  task.mutable_task_id()->set_value(id);
  auto& command = *task.mutable_command();
  command.set_shell(false);
  command.set_value(program);
  command.add_arguments(program);
  if (!argument.empty()) command.add_arguments(argument);
  return task;
}

}  // namespace troupe::bench
