#include "tools/run_command.hpp"

#include "actors/runtime/process.hpp"
#include "frameworks/sdk/program.hpp"
#include "protocol/validation.hpp"
#include "tools/duration_option.hpp"
#include "tools/master_client.hpp"
#include "tools/run_view.hpp"

#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <iostream>
#include <sstream>

namespace troupe {

namespace {

struct run_flags : master_flags {
  double cpus = 0.1, mem = 64, disk = 0;
  std::vector<std::string> environment, command;
  std::string name, role = "*", user;
  unsigned instances = 1;
  std::chrono::nanoseconds grace = std::chrono::seconds(3);
  bool quiet = false, verbose = false;
};

std::string own_user() {
  const auto* entry = ::getpwuid(::geteuid());
  return entry ? entry->pw_name : "root";
}

v1::Resource scalar(const char* name, double value) {
  v1::Resource resource;
  resource.set_name(name);
  resource.set_type(v1::Value::SCALAR);
  resource.mutable_scalar()->set_value(value);
  return resource;
}

/// A name from the command, as an id may be: `sh`, with the process id to tell runs apart.
std::string default_name(const std::string& program) {
  auto base = program.substr(program.rfind('/') + 1);
  return (base.empty() ? "run" : base) + "-" + std::to_string(::getpid());
}

result<v1::CommandInfo> command_of(const run_flags& given) {
  v1::CommandInfo command;
  command.set_shell(false);
  command.set_value(given.command.front());
  for (const auto& argument : given.command) command.add_arguments(argument);
  for (const auto& setting : given.environment) {
    auto equals = setting.find('=');
    if (equals == 0 || equals == std::string::npos) return invalid("--env " + setting + ": write NAME=VALUE");
    auto* variable = command.mutable_environment()->add_variables();
    variable->set_name(setting.substr(0, equals));
    variable->set_value(setting.substr(equals + 1));
  }
  return command;
}

result<run_request> request_of(const run_flags& given) {
  run_request request;
  if (given.command.empty()) return invalid("no command given: troupe run [options] -- COMMAND [ARGUMENT …]");
  auto command = command_of(given);
  if (!command) return command.error();
  request.command = *command;
  for (auto [name, value] :
       {std::pair{"cpus", given.cpus}, std::pair{"mem", given.mem}, std::pair{"disk", given.disk}}) {
    if (!std::isfinite(value) || value < 0) return invalid(std::string("--") + name + " takes a number from 0 up");
    if (value == 0) continue;
    auto one = resources::from(scalar(name, value));
    if (!one) return error{errc::invalid_argument, std::string("--") + name + ": " + one.error().message};
    request.needs += *one;
  }
  if (request.needs.empty()) return invalid("--cpus, --mem and --disk are all 0: a task needs something");
  request.name = given.name.empty() ? default_name(given.command.front()) : given.name;
  if (auto valid = validate_id("--name", request.name); !valid) return valid.error();
  if (auto valid = validate_role(given.role); !valid)
    return error{errc::invalid_argument, "--role: " + valid.error().message};
  request.role = given.role;
  request.user = given.user.empty() ? own_user() : given.user;
  request.instances = given.instances;
  request.kill_grace = given.grace;
  return request;
}

int run(const run_flags& given) {
  process::block_signals();  // before any thread is made
  auto request = request_of(given);
  if (!request) return fail(request.error());
  auto url = master_url(given);
  if (!url) return fail(url.error());
  run_view::options shown;
  shown.prefix = given.instances > 1;
  shown.quiet = given.quiet;
  shown.json = given.json;
  std::ostringstream needs;
  needs << request->needs;
  shown.needs = needs.str();
  // As when a pipe breaks: the task has nobody to write for.
  run_view view(shown, [] { ::kill(::getpid(), SIGINT); });
  auto scheduler =
      std::make_shared<run_scheduler>(*request, [&view](const run_instance& instance) { view.changed(instance); });
  sdk::program_options options;
  options.name = "troupe run";
  options.master = *url;
  options.verbose = given.verbose;
  auto program = sdk::scheduler_program::start(scheduler, options);
  if (!program) return fail(program.error());
  int code = (*program)->run();
  view.finish();
  bool many = given.instances > 1;
  if (scheduler->interrupted()) {
    std::cerr << "troupe: " << (view.closed() ? "nobody reads the output any more; " : "interrupted; ")
              << (view.summary().empty() ? "nothing had been launched"
                  : view.all_ended()     ? "killed: " + view.summary()
                                         : "left while it is being killed: " + view.summary())
              << std::endl;
    return 128 + (view.closed() ? SIGPIPE : SIGINT);
  }
  if (code != 0)
    return fail({errc::unavailable,
                 scheduler->refusal().empty() ? "the run ended early" : "the master refuses: " + scheduler->refusal()});
  if (many && !given.json && !given.quiet) std::cerr << "troupe: " << view.summary() << std::endl;
  return view.exit_code();
}

}  // namespace

void add_run_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("run", "Run a command as a task, here or as many times as you like");
  auto given = std::make_shared<run_flags>();
  add_master_flags(*command, *given, false);
  command->add_option("--cpus", given->cpus, "Cpus of one instance")->capture_default_str();
  command->add_option("--mem", given->mem, "Memory of one instance, in MB; more than that and it is killed")
      ->capture_default_str();
  command->add_option("--disk", given->disk, "Disk of one instance, in MB")->capture_default_str();
  command->add_option("--env", given->environment, "NAME=VALUE for its environment; may be given several times")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--instances", given->instances, "How many to run")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--name", given->name, "Name of the task; that of the program and a number if not given");
  command->add_option("--role", given->role, "Role to be charged")->capture_default_str();
  command->add_option("--user", given->user, "User to run as; yours if not given");
  add_duration(*command, "--grace", given->grace, "Between TERM and KILL when it is interrupted");
  command->add_flag("--json", given->json, "Print state changes as JSON lines instead of the output");
  command->add_flag("--quiet", given->quiet, "Print the output only");
  command->add_flag("--verbose", given->verbose, "Log every decision to stderr");
  command->add_option("command", given->command, "The command and its arguments, after --")->required();
  command->footer(
      "The exit code is the command's own, 128 + N if signal N ended it, 130 after Ctrl-C, 141 when its output is read "
      "no more; with several instances that "
      "of the\n"
      "first that failed.\n\n"
      "examples:\n"
      "  troupe run -- sh -c 'echo hello from $(hostname)'\n"
      "  troupe run --cpus 2 --mem 512 --env STAGE=test --name build -- make test\n"
      "  troupe run --instances 200 -- true");
  command->callback([given, &exit_code] { exit_code = run(*given); });
}

}  // namespace troupe
