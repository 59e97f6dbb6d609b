#pragma once

#include "actors/agent/agent_options.hpp"
#include "isolators/sandbox_collector.hpp"
#include "tools/daemon.hpp"

#include <memory>
#include <string>

namespace troupe {

class link_connector;

struct agent_daemon_options {
  daemon_options common;
  agent_options agent;
  std::string master;
  std::string resources;
  std::string attributes;
  bool cgroups = true;
  bool cfs = true;
  collection_options collection;  ///< but for its folders
  double disk_headroom = 0.1;
  std::string reconfiguration = "additive";  ///< see actors/agent/reconfiguration.hpp
  std::string recover = "reconnect";         ///< or cleanup: end and forget what an earlier agent left, then exit
  bool leave_running = true;                 ///< containers outlive the daemon, for the next one in these folders
};

/// `troupe agent`. Adds the command with its table of options.
void add_agent_command(CLI::App& app, int& exit_code);

/// An agent with its containerizer and executors, listening: everything of it but main. Stops when destroyed; its
/// containers then go on or end, as the options say.
class agent_daemon {
 public:
  static result<std::unique_ptr<agent_daemon>> start(const agent_daemon_options& options,
                                                     std::map<std::string, std::string> flags);
  ~agent_daemon();

  /// Blocks until the agent ends; the exit code. SIGINT and SIGTERM stop the process, whose agent comes back as it was;
  /// SIGUSR1 makes the agent leave the cluster first.
  int wait();

  std::string url() const { return base_->url(); }
  process& host() { return base_->host(); }
  /// For a later life.
  void stay_where_it_is(daemon_options& later) const { base_->stay_where_it_is(later); }

 private:
  agent_daemon() = default;
  void leave();
  std::unique_ptr<daemon> base_;
  Address self_;
  std::unique_ptr<link_connector> connector_;
};

}  // namespace troupe
