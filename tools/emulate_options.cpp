#include "tools/emulate_options.hpp"

#include "actors/runtime/net/link_dialler.hpp"
#include "protocol/attributes.hpp"
#include "protocol/validation.hpp"
#include "tools/duration_option.hpp"
#include "tools/release.hpp"

#include <cmath>
#include <utility>

namespace troupe {

namespace {

const char* const work_dir_help =
    "Keep here what they must remember, in one journal whose groups of records are synced, and come back as the same "
    "ones; without it that is in memory and forgotten at the end, which leaves the disk to a master on the same "
    "machine";

error in_option(const std::string& option, const error& e) {
  return {e.code, option + ": " + e.message};
}

}  // namespace

void add_emulate_options(CLI::App& command, emulate_flags& flags, bool sockets) {
  if (sockets) {
    add_master_flags(command, flags, false);
    command
        .add_option("--source-address", flags.sources,
                    "An address of this machine to call from, say 127.0.0.2; given several times they are taken in "
                    "turn. A pair of addresses has some 28,000 ports")
        ->take_all()
        ->allow_extra_args(false);
    command.add_option("--work-dir", flags.work_dir, work_dir_help);
  }
  add_optional_duration(command, "--duration", flags.duration,
                        "Measure for so long, then end; till Ctrl-C if not given");
  command.add_flag("--json", flags.json, "Print JSON lines: one a second, and figures in the last");
  command.add_option("--log-level", flags.log_level, "trace, debug, info, warning, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}))
      ->capture_default_str();
}

void add_warm_up_option(CLI::App& command, emulate_flags& flags) {
  add_duration(command, "--warm-up", flags.warm_up, "Leave out what happens in the first so long");
}

void add_emulate_agents_options(CLI::App& command, emulate_agents_flags& flags, const std::string& count) {
  command.add_option(count, flags.count, "How many agents")->required()->check(CLI::Range(1, 1'000'000));
  command.add_option("--resources", flags.resources, "What each agent offers")->capture_default_str();
  command.add_option("--attributes", flags.attributes, "Of each agent, for instance 'rack:2;zone:east'");
  command
      .add_option("--task-seconds", flags.task_seconds,
                  "How long tasks last: MEAN or MEAN:DEVIATION of a normal distribution; 0 ends them at once")
      ->capture_default_str();
  command.add_option("--seed", flags.seed, "Which lengths are drawn; the same seed draws the same")
      ->capture_default_str();
  add_duration(command, "--registration-backoff-factor", flags.registration_backoff,
               "Bound of the first random wait of each before registering");
}

void add_emulate_frameworks_options(CLI::App& command, emulate_frameworks_flags& flags, const std::string& count) {
  command.add_option(count, flags.count, "How many frameworks")->required()->check(CLI::Range(1, 100'000));
  command
      .add_option("--at-once", flags.at_once,
                  "Tasks that each keeps running; 0: as many as it is offered room for, so that the agents stay full")
      ->capture_default_str();
  command.add_option("--rate", flags.rate, "New tasks a second, of all together, instead of keeping a number running")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command
      .add_option("--tasks", flags.tasks, "Tasks of all together; when they have ended so do the frameworks. 0: no end")
      ->capture_default_str();
  command.add_option("--cpus", flags.cpus, "Cpus of a task")->capture_default_str();
  command.add_option("--mem", flags.mem, "Memory of a task, in MB")->capture_default_str();
  command.add_option("--labels", flags.labels, "Labels of each task")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command.add_option("--role", flags.role, "Role of the frameworks")->capture_default_str();
  command.add_option("--user", flags.user, "User of the frameworks")->capture_default_str();
}

result<master_access> master_access_of(const emulate_flags& flags) {
  master_access access;
  auto url = master_url(flags);
  if (!url) return url.error();
  auto target = parse_link_target(*url);
  if (!target) return in_option("--master", target.error());
  if (target->tls) {
    auto tls = tls_context::of_client(tls_files::from_environment());
    if (!tls) return tls.error();
    access.tls = *tls;
  }
  access.url = *url;
  access.sources = flags.sources;
  return access;
}

result<emulated_agents_options> agents_of(const emulate_agents_flags& flags) {
  emulated_agents_options options;
  options.count = flags.count;
  options.seed = flags.seed;
  auto length = parse_task_length(flags.task_seconds);
  if (!length) return in_option("--task-seconds", length.error());
  options.length = *length;
  auto& agent = options.agent;
  auto offered = resources::parse(flags.resources);
  if (!offered) return in_option("--resources", offered.error());
  offered->add_to(agent.info.mutable_resources());
  auto attributes = parse_attributes(flags.attributes);
  if (!attributes) return in_option("--attributes", attributes.error());
  *agent.info.mutable_attributes() = *attributes;
  agent.info.set_hostname("emulated");
  agent.info.set_port(5051);
  agent.version = release_version;
  agent.work_dir = "/emulated";
  agent.boot_id = "emulated";
  agent.executor_endpoint = "unix:/emulated/agent.sock";
  agent.address = "emulated:5051";
  agent.registration_backoff = flags.registration_backoff;
  // Nobody can ask an emulated agent what has ended.
  agent.completed_frameworks_max = 1;
  agent.completed_executors_max = agent.completed_tasks_max = 0;
  return options;
}

result<emulated_frameworks_options> frameworks_of(const emulate_frameworks_flags& flags) {
  emulated_frameworks_options options;
  options.count = flags.count;
  options.in_all = flags.tasks;
  options.per_second = flags.rate;
  if (flags.tasks > 0 && flags.tasks < flags.count)
    return invalid("--tasks " + std::to_string(flags.tasks) + ": must be 0 or at least one for each of the " +
                   std::to_string(flags.count) + " frameworks");
  if (flags.rate > 0 && flags.at_once > 0)
    return invalid("--rate and --at-once: only one of them says when a task is wanted");
  auto& each = options.each;
  each.name = "emulated";
  each.at_once = flags.at_once;
  each.user = flags.user;
  each.role = flags.role;
  each.labels = flags.labels;
  if (auto valid = validate_role(flags.role); !valid) return in_option("--role", valid.error());
  for (auto [name, value] : {std::pair{"cpus", flags.cpus}, std::pair{"mem", flags.mem}}) {
    if (!std::isfinite(value) || value < 0) return invalid(std::string("--") + name + " takes a number from 0 up");
    if (value == 0) continue;
    v1::Resource one;
    one.set_name(name);
    one.set_type(v1::Value::SCALAR);
    one.mutable_scalar()->set_value(value);
    auto some = resources::from(one);
    if (!some) return in_option(std::string("--") + name, some.error());
    each.needs += *some;
  }
  if (each.needs.empty()) return invalid("--cpus and --mem are both 0: a task needs something");
  return options;
}

}  // namespace troupe
