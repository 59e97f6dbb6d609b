#include "tools/local_command.hpp"

#include "tools/agent_daemon.hpp"
#include "tools/master_client.hpp"
#include "tools/master_daemon.hpp"
#include "tools/try_out_folder.hpp"

#include <iostream>

namespace troupe {

namespace {

struct local_flags {
  std::string work_dir, resources, log_level = "warning";
  std::uint16_t port = 5050;
  tls_options tls;
};

/// The same certificate serves the commands.
std::string tls_exports(const tls_options& tls) {
  if (!tls.serve()) return {};
  auto lines = "  export TROUPE_TLS_CERT=" + tls.files.certificate + " TROUPE_TLS_KEY=" + tls.files.key + "\n";
  return tls.files.authority.empty() ? lines : lines + "  export TROUPE_TLS_CA=" + tls.files.authority + "\n";
}

int local(const local_flags& given) {
  try_out_folder folder("troupe-local", given.work_dir);
  if (folder.path().empty()) return fail({errc::io, "no folder can be made in /tmp; name one with --work-dir"});
  master_daemon_options for_master;
  for_master.common.port = given.port;
  for_master.common.work_dir = folder.path() + "/master";
  for_master.common.runtime_dir = folder.path() + "/run/master";
  for_master.common.log_level = given.log_level;
  for_master.common.tls = given.tls;
  auto master = master_daemon::start(for_master, {});
  if (!master) return fail(master.error());
  agent_daemon_options for_agent;
  for_agent.common.work_dir = folder.path() + "/agent";
  for_agent.common.runtime_dir = folder.path() + "/run/agent";
  for_agent.common.log_level = given.log_level;
  for_agent.common.tls = given.tls;
  for_agent.master = (*master)->url();
  for_agent.resources = given.resources;
  for_agent.leave_running = false;
  auto agent = agent_daemon::start(for_agent, {});
  if (!agent) return fail(agent.error());
  // Neither is of use alone.
  (*agent)->host().on_stop([&master](int code) { (*master)->host().stop(code); });
  std::cout << "a master and an agent are running; in another terminal:\n"
            << "  export TROUPE_MASTER=" << (*master)->url() << "\n"
            << tls_exports(given.tls) << "  troupe run -- sh -c 'echo hello'\n"
            << "Ctrl-C ends both" << (given.work_dir.empty() ? " and forgets everything" : "") << "." << std::endl;
  return (*master)->host().wait();
}

}  // namespace

void add_local_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("local", "A master and an agent in one process, for a first try");
  auto given = std::make_shared<local_flags>();
  command->add_option("--port", given->port, "The master's port; 0 picks a free one")->capture_default_str();
  command->add_option("--work-dir", given->work_dir,
                      "Keep everything here; without it everything is forgotten at the end");
  command->add_option("--resources", given->resources, "What the agent offers; detected if not given");
  command->add_option("--log-level", given->log_level, "trace, debug, info, warning, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}))
      ->capture_default_str();
  add_tls_options(*command, given->tls);
  command->footer("example: troupe local --resources 'cpus:2;mem:1024'");
  command->callback([given, &exit_code] { exit_code = local(*given); });
}

}  // namespace troupe
