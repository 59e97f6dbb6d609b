// The `troupe` program: daemons and commands.
#include "tools/agent_daemon.hpp"
#include "tools/emulate_command.hpp"
#include "tools/journal_command.hpp"
#include "tools/kill_command.hpp"
#include "tools/listings.hpp"
#include "tools/local_command.hpp"
#include "tools/logs_command.hpp"
#include "tools/master_daemon.hpp"
#include "tools/replay_command.hpp"
#include "tools/run_command.hpp"
#include "tools/sim_command.hpp"
#include "tools/this_build.hpp"
#include "tools/trace_command.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

int main(int argc, char** argv) {
  using namespace troupe;
  CLI::App app{"Troupe pools the machines of a cluster and runs tasks on them."};
  app.require_subcommand(1);
  app.set_version_flag("--version", release_version);
  app.footer(
      "First try: `troupe local` in one terminal, `troupe run --master http://127.0.0.1:5050 -- echo hello` in "
      "another.\n"
      "`troupe COMMAND --help` explains a command, with examples.");
  int exit_code = 0;
  add_master_command(app, exit_code);
  add_agent_command(app, exit_code);
  add_local_command(app, exit_code);
  add_run_command(app, exit_code);
  add_listing_commands(app, exit_code);
  add_kill_command(app, exit_code);
  add_logs_command(app, exit_code);
  add_emulate_command(app, exit_code);
  add_journal_command(app, exit_code);
  add_replay_command(app, exit_code);
  add_trace_command(app, exit_code);
  add_sim_command(app, exit_code);
  app.add_subcommand("version", "The release of this program")->callback([] {
    const auto build = this_build();
    std::cout << "troupe " << build.version << (build.git_sha.empty() ? "" : " " + build.git_sha) << std::endl;
  });
  auto named = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(named).empty()) {
    std::cerr << "troupe: there is no command " << argv[1] << "; `troupe --help` lists them" << std::endl;
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    int code = app.exit(e);
    return code == 0 ? 0 : 2;
  } catch (const std::exception& e) {  // no thread, no memory, no descriptor
    std::cerr << "troupe: " << e.what() << std::endl;
    return 1;
  }
  return exit_code;
}
