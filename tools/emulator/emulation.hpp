#pragma once

#include "actors/runtime/actor_host.hpp"
#include "actors/runtime/link_hub.hpp"
#include "actors/runtime/net/io_threads.hpp"
#include "actors/runtime/net/link.hpp"
#include "actors/runtime/net/tls_context.hpp"
#include "protocol/error.hpp"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {

/// What keeps a peer's link to the master up; its end closes the link.
class master_line {
 public:
  master_line() = default;
  virtual ~master_line() = default;
  master_line(const master_line&) = delete;
  master_line& operator=(const master_line&) = delete;
};

/// How peers get at the master.
struct master_access {
  /// http://host:port or https://host:port, over sockets.
  std::string url;
  std::shared_ptr<const tls_context> tls;  ///< for https
  /// Numeric addresses of this machine to call from, one peer after the other in turn; none: the system chooses. A
  /// pair of addresses has about 28,000 ports.
  std::vector<std::string> sources;

  /// Or a master in this process, over in-process links; `url` is nothing then.
  link_events in_process;
  link_identity master;
};

/// Where many emulated daemons and frameworks live: one process's actor system, journal and I/O thread, shared by all.
class emulation {
 public:
  /// `journal_dir`: where all that they must remember is durable; empty: in memory. Errors: those of the journal.
  static result<std::unique_ptr<emulation>> open(const std::string& journal_dir, master_access access);
  /// Ends every actor and waits for that. Whoever made peers here has let go of them before.
  ~emulation();

  process& host() { return *host_; }
  io_threads& io() { return *io_; }
  const link_options& links() const { return links_; }

  void supervise(child_spec child);
  std::unique_ptr<master_line> call_master(std::size_t index, const link_identity& self, link_events events);
  /// Ends all that was supervised, and waits until it has ended. Idempotent.
  void end_actors();
  /// Why the master could not be reached, the last time; empty: it never failed.
  std::string last_failure() const;

 private:
  explicit emulation(master_access access) : access_(std::move(access)) {}
  void note_failure(const std::string& why);
  void note_started(const caf::strong_actor_ptr& actor);

  const master_access access_;
  link_options links_;
  std::unique_ptr<process> host_;
  std::unique_ptr<io_threads> io_;
  supervisor_actor supervisor_;
  /// Counted down by actors that end, at whatever time.
  struct census {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t alive = 0;
  };
  std::shared_ptr<census> census_ = std::make_shared<census>();
  mutable std::mutex mutex_;
  std::string last_failure_;
};

/// One of them: what a process of its own would have, as far as it is not shared.
class emulated_peer {
 public:
  /// `name` is a part of the journal.
  emulated_peer(emulation& home, std::string name);
  /// After the actors of the emulation have ended.
  ~emulated_peer();
  emulated_peer(const emulated_peer&) = delete;
  emulated_peer& operator=(const emulated_peer&) = delete;

  actor_host host();
  services& rt() { return services_; }
  /// Who it is: drawn once, and kept in its part of the journal.
  result<Address> identify(internal::Role role, const std::string& identity_key);
  /// Hears what its actor tells its process.
  void hear(std::function<void(const internal::ProgramEvent&)> listen);
  /// Calls the master; the peer's actor hears of it. After `identify`.
  void call_master(std::size_t index);
  /// Again, for an actor that was started again.
  void announce_master() { hub_->announce_peers(); }
  void tell(const std::string& event);
  /// Says what is on its way to the master, then closes the link.
  void hang_up();

 private:
  emulation& home_;
  Address self_;
  status_board board_;
  directory names_{board_};
  services services_;
  std::unique_ptr<link_hub> hub_;
  std::unique_ptr<master_line> line_;
};

}  // namespace troupe
