#pragma once

#include "actors/allocator/allocator_core.hpp"
#include "actors/master/master_options.hpp"
#include "tools/daemon.hpp"

namespace troupe {

struct master_daemon_options {
  daemon_options common;
  master_options master;
  allocator_options allocator;
};

/// `troupe master`. Adds the command with its table of options.
void add_master_command(CLI::App& app, int& exit_code);

/// A master with its allocator, listening: everything of it but main. Stops when destroyed.
class master_daemon {
 public:
  static result<std::unique_ptr<master_daemon>> start(const master_daemon_options& options,
                                                      std::map<std::string, std::string> flags);
  ~master_daemon();

  std::string url() const { return base_->url(); }
  process& host() { return base_->host(); }
  /// For a later life: its peers look for it at this port, and whoever reads the ready file knows it.
  void stay_where_it_is(daemon_options& later) const { base_->stay_where_it_is(later); }

  /// For links within this process: who it is to its peers, and who hears of them.
  static link_identity identity();
  link_events links() { return base_->hub(leader()).events(); }

 private:
  master_daemon() = default;
  std::unique_ptr<daemon> base_;
};

}  // namespace troupe
