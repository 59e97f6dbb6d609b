#include "isolators/launch_plan.hpp"

#include <system_error>

namespace troupe {
namespace {

constexpr char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t plan_bytes_max = 2 * 1024 * 1024;

result<void> merge(std::map<std::string, std::string>& into, const v1::Environment& from, const std::string& field) {
  for (const auto& variable : from.variables()) {
    if (variable.name().empty() || variable.name().find('=') != std::string::npos) {
      return invalid(field + ".variables.name '" + variable.name() + "' must be neither empty nor hold '='");
    }
    if (variable.type() == v1::Environment::Variable::SECRET) {
      return invalid(field + ".variables '" + variable.name() + "' is of type SECRET; this agent takes VALUE only");
    }
    into[variable.name()] = variable.value();
  }
  return {};
}

result<void> plan_program(launch_plan& plan, const v1::CommandInfo& command) {
  if (command.value().empty()) return invalid("command.value is empty; it must name what to run");
  if (command.uris_size() > 0) return invalid("command.uris must be empty: this agent does not fetch");
  if (command.shell()) {
    plan.program = "/bin/sh";
    plan.arguments = {"sh", "-c", command.value()};
    return {};
  }
  plan.program = command.value();
  plan.arguments.assign(command.arguments().begin(), command.arguments().end());
  if (plan.arguments.empty()) plan.arguments = {command.value()};
  return {};
}

/// Appends entries, and remembers whether any was unfit for the form.
class entry_writer {
 public:
  void add(const std::string& key, const std::string& value) {
    if (value.find('\0') != std::string::npos && bad_.empty()) bad_ = key;
    text_ += key;
    text_ += '=';
    text_ += value;
    text_ += '\0';
  }
  result<std::string> take() {
    if (!bad_.empty()) return invalid("the command's " + bad_ + " holds a NUL byte");
    if (text_.size() > plan_bytes_max) {
      return invalid("arguments and environment take " + std::to_string(text_.size()) + " bytes; at most " +
                     std::to_string(plan_bytes_max) + " are allowed");
    }
    return std::move(text_);
  }

 private:
  std::string text_;
  std::string bad_;
};

void add_user(entry_writer& out, const task_user& user) {
  out.add("uid", std::to_string(user.uid));
  out.add("gid", std::to_string(user.gid));
  for (auto group : user.groups) out.add("group", std::to_string(group));
}

}  // namespace

result<launch_plan> plan_launch(const internal::LaunchContainer& launch, const std::optional<task_user>& user) {
  launch_plan plan;
  plan.environment["PATH"] = default_path;
  auto merged = merge(plan.environment, launch.environment(), "environment");
  if (merged) merged = merge(plan.environment, launch.command().environment(), "command.environment");
  if (!merged) return merged.error();
  auto program = plan_program(plan, launch.command());
  if (!program) return program.error();
  auto limits = plan_resource_limits(launch.rlimits());
  if (!limits) return limits.error();
  plan.limits = std::move(limits.value());
  if (launch.sandbox().empty() || launch.sandbox().front() != '/') {
    return invalid("sandbox '" + launch.sandbox() + "' must be an absolute path");
  }
  plan.sandbox = launch.sandbox();
  plan.user = user;
  return plan;
}

result<std::string> flat_form(const launch_plan& plan) {
  entry_writer out;
  out.add("troupe-plan", "1");
  out.add("program", plan.program);
  for (const auto& argument : plan.arguments) out.add("argv", argument);
  for (const auto& [name, value] : plan.environment) out.add("env", name + "=" + value);
  out.add("cwd", plan.sandbox);
  // Relative: the sandbox's parents may be closed to the task's user, who opens them.
  out.add("stdout", "stdout");
  out.add("stderr", "stderr");
  if (plan.user) add_user(out, *plan.user);
  for (const auto& limit : plan.limits) {
    out.add("rlimit",
            std::to_string(limit.resource) + ":" + std::to_string(limit.soft) + ":" + std::to_string(limit.hard));
  }
  for (const auto& procs : plan.join) out.add("join", procs);
  out.add("status", plan.files.status_path);
  out.add("pid", plan.files.pid_path);
  out.add("boot", plan.boot_id);
  out.add("end", "");
  return out.take();
}

std::string explain_failure(const launch_plan& plan, const shim_report& report) {
  auto words = std::generic_category().message(report.failed_errno);
  const auto& step = report.failed_step;
  if (step == "program") return "cannot run '" + plan.program + "': " + words;
  if (step == "cwd") return "cannot enter the sandbox " + plan.sandbox + ": " + words;
  if (step == "stdout" || step == "stderr") return "cannot open " + plan.sandbox + "/" + step + ": " + words;
  if (step == "user" && plan.user) return "cannot become uid " + std::to_string(plan.user->uid) + ": " + words;
  if (step == "pid") return "cannot write " + plan.files.pid_path + ": " + words;
  return "the shim failed at step '" + step + "': " + words;
}

}  // namespace troupe
