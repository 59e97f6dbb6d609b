#include "actors/master/task_validation.hpp"
#include "protocol/quoting.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <utility>

namespace troupe {

namespace {

result<void> check_duration(const v1::DurationInfo& duration, const char* field) {
  if (duration.nanoseconds() < 0) return invalid(std::string(field) + " must not be negative");
  return {};
}

result<void> check_durations(const v1::TaskInfo& task) {
  if (auto valid = check_duration(task.kill_policy().grace_period(), "kill_policy.grace_period"); !valid) return valid;
  if (auto valid = check_duration(task.max_completion_time(), "max_completion_time"); !valid) return valid;
  return check_duration(task.executor().shutdown_grace_period(), "executor.shutdown_grace_period");
}

result<void> check_seconds(std::initializer_list<std::pair<const char*, double>> fields, const std::string& of) {
  for (const auto& [name, seconds] : fields)
    if (!std::isfinite(seconds) || seconds < 0)
      return invalid(of + "." + name + " must be a finite number of seconds that is not negative");
  return {};
}

/// Zero for what no amount can be.
milli thousandths(double amount) {
  return std::isfinite(amount) && std::fabs(amount) < 1e15 ? std::llround(amount * 1000) : 0;
}

result<void> check_limits(const v1::TaskInfo& task) {
  // A protobuf map has no order; which error is reported must not depend on chance.
  std::map<std::string, double> limits;
  for (const auto& [name, limit] : task.limits()) limits.emplace(name, limit.value());
  for (const auto& [name, limit] : limits) {
    if (name != "cpus" && name != "mem")
      return invalid("limits: only cpus and mem can be limited, not " + quoted(name));
    // How much it may be in all is checked with the resources: here it must not overflow.
    milli request = 0;
    for (const auto& entry : task.resources())
      if (entry.name() == name && request < largest_amount)
        request += std::clamp(thousandths(entry.scalar().value()), milli{0}, largest_amount);
    if (request <= 0) return invalid("limits: a limit of " + name + " needs a request of " + name + " in resources");
    const bool infinite = std::isinf(limit) && limit > 0;
    if (!infinite && thousandths(limit) < request)
      return invalid("limits: the limit of " + name + " must be at least what resources request, or infinite");
  }
  return {};
}

result<void> check_http_path(const std::string& path, const std::string& of) {
  if (!path.empty() && path.front() != '/') return invalid(of + ".path must begin with /");
  return {};
}

result<void> validate_environment(const v1::CommandInfo& command, const std::string& of);

result<void> check_health(const v1::HealthCheck& check) {
  const std::string of = "health_check";
  switch (check.type()) {
    case v1::HealthCheck::COMMAND:
      if (!check.has_command()) return invalid(of + ".command must be set for the type COMMAND");
      if (!check.command().has_value()) return invalid(of + ".command.value must be set");
      if (auto valid = validate_environment(check.command(), of + ".command"); !valid) return valid;
      break;
    case v1::HealthCheck::HTTP:
      if (!check.has_http()) return invalid(of + ".http must be set for the type HTTP");
      if (check.http().has_scheme() && check.http().scheme() != "http" && check.http().scheme() != "https")
        return invalid(of + ".http.scheme must be http or https, not " + quoted(check.http().scheme()));
      if (auto valid = check_http_path(check.http().path(), of + ".http"); !valid) return valid;
      break;
    case v1::HealthCheck::TCP:
      if (!check.has_tcp()) return invalid(of + ".tcp must be set for the type TCP");
      break;
    case v1::HealthCheck::UNKNOWN:
      return invalid(of + ".type must be COMMAND, HTTP or TCP");
  }
  return check_seconds({{"delay_seconds", check.delay_seconds()},
                        {"interval_seconds", check.interval_seconds()},
                        {"timeout_seconds", check.timeout_seconds()},
                        {"grace_period_seconds", check.grace_period_seconds()}},
                       of);
}

result<void> check_check(const v1::CheckInfo& check) {
  const std::string of = "check";
  switch (check.type()) {
    case v1::CheckInfo::COMMAND:
      if (!check.has_command()) return invalid(of + ".command must be set for the type COMMAND");
      if (!check.command().command().has_value()) return invalid(of + ".command.command.value must be set");
      if (auto valid = validate_environment(check.command().command(), of + ".command.command"); !valid) return valid;
      break;
    case v1::CheckInfo::HTTP:
      if (!check.has_http()) return invalid(of + ".http must be set for the type HTTP");
      if (auto valid = check_http_path(check.http().path(), of + ".http"); !valid) return valid;
      break;
    case v1::CheckInfo::TCP:
      if (!check.has_tcp()) return invalid(of + ".tcp must be set for the type TCP");
      break;
    case v1::CheckInfo::UNKNOWN:
      return invalid(of + ".type must be COMMAND, HTTP or TCP");
  }
  return check_seconds({{"delay_seconds", check.delay_seconds()},
                        {"interval_seconds", check.interval_seconds()},
                        {"timeout_seconds", check.timeout_seconds()}},
                       of);
}

result<void> check_secret(const v1::Secret& secret, const std::string& of) {
  const bool reference = secret.type() == v1::Secret::REFERENCE && secret.has_reference() && !secret.has_value();
  const bool value = secret.type() == v1::Secret::VALUE && secret.has_value() && !secret.has_reference();
  if (!reference && !value) return invalid(of + " must be a REFERENCE with reference set, or a VALUE with value set");
  return {};
}

result<void> check_variable(const v1::Environment::Variable& variable, const std::string& of) {
  switch (variable.type()) {
    case v1::Environment::Variable::VALUE:
      if (!variable.has_value() || variable.has_secret())
        return invalid(of + " is of type VALUE: it must have a value and no secret");
      return {};
    case v1::Environment::Variable::SECRET:
      if (!variable.has_secret() || variable.has_value())
        return invalid(of + " is of type SECRET: it must have a secret and no value");
      if (variable.secret().value().data().find('\0') != std::string::npos)
        return invalid(of + " must not contain a NUL byte in its secret");
      return check_secret(variable.secret(), of + ".secret");
    case v1::Environment::Variable::UNKNOWN:
      return invalid(of + ".type must be VALUE or SECRET");
  }
  return {};
}

result<void> validate_environment(const v1::CommandInfo& command, const std::string& of) {
  for (const auto& variable : command.environment().variables())
    if (auto valid = check_variable(variable, of + ".environment variable " + quoted(variable.name())); !valid)
      return valid;
  return {};
}

result<void> check_volume_source(const v1::Volume::Source& source, const std::string& of) {
  const auto require = [&](bool present, const char* member) -> result<void> {
    if (present) return {};
    return invalid(of + ".source." + member + " must be set for this type of source");
  };
  switch (source.type()) {
    case v1::Volume::Source::DOCKER_VOLUME:
      return require(source.has_docker_volume(), "docker_volume");
    case v1::Volume::Source::HOST_PATH:
      return require(source.has_host_path(), "host_path");
    case v1::Volume::Source::SANDBOX_PATH:
      return require(source.has_sandbox_path(), "sandbox_path");
    case v1::Volume::Source::SECRET:
      if (auto valid = require(source.has_secret(), "secret"); !valid) return valid;
      return check_secret(source.secret(), of + ".source.secret");
    case v1::Volume::Source::CSI_VOLUME:
      return require(source.has_csi_volume(), "csi_volume");
    case v1::Volume::Source::UNKNOWN:
      return invalid(of + ".source.type must be set");
  }
  return {};
}

result<void> check_container(const v1::ContainerInfo& container, const std::string& of) {
  for (const auto& volume : container.volumes()) {
    const auto name = of + " volume " + quoted(volume.container_path());
    const int given = (volume.has_host_path() ? 1 : 0) + (volume.has_image() ? 1 : 0) + (volume.has_source() ? 1 : 0);
    if (given != 1) return invalid(name + " must have exactly one of host_path, image and source");
    if (!volume.has_source()) continue;
    if (auto valid = check_volume_source(volume.source(), name); !valid) return valid;
  }
  if (container.type() == v1::ContainerInfo::DOCKER && !container.has_docker())
    return invalid(of + ".docker must be set for the type DOCKER");
  for (const auto& parameter : container.docker().parameters())
    if (parameter.key() == "name") return invalid(of + ".docker: the parameter name is the agent's to choose");
  if (container.linux_info().has_share_cgroups() && !container.linux_info().share_cgroups())
    return invalid(of + ".linux_info.share_cgroups = false is for the tasks of a group");
  return {};
}

}  // namespace

result<void> validate_task_shape(const v1::TaskInfo& task) {
  if (auto valid = check_durations(task); !valid) return valid;
  if (auto valid = check_limits(task); !valid) return valid;
  if (task.has_health_check())
    if (auto valid = check_health(task.health_check()); !valid) return valid;
  if (task.has_check())
    if (auto valid = check_check(task.check()); !valid) return valid;
  if (auto valid = validate_environment(task.command(), "command"); !valid) return valid;
  if (auto valid = validate_environment(task.executor().command(), "executor.command"); !valid) return valid;
  if (task.has_container())
    if (auto valid = check_container(task.container(), "container"); !valid) return valid;
  if (task.executor().has_container()) return check_container(task.executor().container(), "executor.container");
  return {};
}

}  // namespace troupe
