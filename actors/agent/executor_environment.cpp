#include "actors/agent/executor_environment.hpp"

#include "actors/runtime/moments.hpp"

namespace troupe {

namespace {

/// Enough of the command to recognise it by.
constexpr std::size_t command_shown_max = 12;

class environment_builder {
 public:
  void set(const std::string& name, const std::string& value) {
    auto* variable = environment_.add_variables();
    variable->set_name(name);
    variable->set_value(value);
  }
  void set_both(const std::string& name, const std::string& value) {
    set("MESOS_" + name, value);
    set("TROUPE_" + name, value);
  }
  v1::Environment take() { return std::move(environment_); }

 private:
  v1::Environment environment_;
};

std::string shown(const v1::CommandInfo& command) {
  auto text = command.value().size() > command_shown_max ? command.value().substr(0, command_shown_max) + "..."
                                                         : command.value();
  return command.shell() ? "sh -c '" + text + "'" : text;
}

/// Clients of the v1 API still read this field, which it calls deprecated.
void set_source(v1::ExecutorInfo& info, const std::string& source) {
  const auto* field = v1::ExecutorInfo::descriptor()->FindFieldByNumber(v1::ExecutorInfo::kSourceFieldNumber);
  v1::ExecutorInfo::GetReflection()->SetString(&info, field, source);
}

/// Durations as Mesos writes them: "5secs", "250ms".
std::string duration_text(std::chrono::nanoseconds duration) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + "secs" : std::to_string(ms) + "ms";
}

}  // namespace

v1::ExecutorInfo built_in_executor(const v1::TaskInfo& task, const framework_id& framework) {
  const auto& id = task.task_id().value();
  v1::ExecutorInfo info;
  info.set_type(v1::ExecutorInfo::CUSTOM);
  info.mutable_executor_id()->set_value(id);
  *info.mutable_framework_id() = framework.proto();
  info.set_name("Command Executor (Task: " + id + ") (Command: " + shown(task.command()) + ")");
  set_source(info, id);
  if (task.kill_policy().has_grace_period())  // a shutdown leaves the task its own grace, and time to report
    *info.mutable_shutdown_grace_period() =
        duration_info(bounded(task.kill_policy().grace_period()) + std::chrono::seconds(2));
  return info;
}

std::string sandbox_path(const std::string& work_dir, const agent_id& agent, const framework_id& framework,
                         const executor_id& executor, const container_id& container) {
  return work_dir + "/agents/" + agent.value() + "/frameworks/" + framework.value() + "/executors/" + executor.value() +
         "/runs/" + container.value();
}

std::chrono::nanoseconds shutdown_grace(const v1::ExecutorInfo& executor, const agent_options& options) {
  return executor.has_shutdown_grace_period() ? bounded(executor.shutdown_grace_period())
                                              : options.executor_shutdown_grace;
}

v1::Environment executor_environment(const hosted_executor& executor, const v1::FrameworkInfo& framework,
                                     const agent_id& agent, const agent_options& options) {
  environment_builder environment;
  environment.set_both("FRAMEWORK_ID", executor.framework().value());
  environment.set_both("EXECUTOR_ID", executor.id().value());
  environment.set_both("SANDBOX", executor.record.sandbox());
  environment.set("MESOS_DIRECTORY", executor.record.sandbox());
  environment.set("MESOS_SLAVE_ID", agent.value());
  environment.set("MESOS_SLAVE_PID", "slave(1)@" + options.address);
  environment.set("MESOS_AGENT_ENDPOINT", options.address);
  environment.set("MESOS_CHECKPOINT", framework.checkpoint() ? "1" : "0");
  environment.set("MESOS_HTTP_COMMAND_EXECUTOR", "0");
  environment.set("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD",
                  duration_text(shutdown_grace(executor.record.info(), options)));
  if (framework.checkpoint()) {
    environment.set("MESOS_RECOVERY_TIMEOUT", "15mins");
    environment.set("MESOS_SUBSCRIPTION_BACKOFF_MAX", "2secs");
  }
  environment.set("TROUPE_AGENT_ID", agent.value());
  environment.set("TROUPE_CONTAINER_ID", executor.container().value());
  environment.set("TROUPE_AGENT_ENDPOINT", options.executor_endpoint);
  if (!options.tls_authority.empty()) environment.set("TROUPE_TLS_CA", options.tls_authority);
  return environment.take();
}

}  // namespace troupe
