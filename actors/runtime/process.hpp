#pragma once

#include "actors/runtime/services.hpp"
#include "actors/runtime/supervisor.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace troupe {

/// Exit codes of a process that ends itself, as sysexits.h has them.
enum exit_code : int {
  exit_gave_up = 70,         ///< EX_SOFTWARE: an actor failed again and again
  exit_journal_failed = 74,  ///< EX_IOERR: what it must remember cannot be written any more
};

struct process_options {
  std::string name;         ///< "master", "agent", …: for logs
  std::string journal_dir;  ///< the LevelDB; empty: nothing is kept
  std::string ring_path;    ///< the event ring's file, on a tmpfs; empty: in memory
  std::size_t ring_bytes = 4u << 20;
  unsigned workers = 1;          ///< threads for cooperative actors
  std::size_t restarts_max = 5;  ///< of actors, within a minute; one more ends the process
};

/// What a process is made of before it has a role: actor system, journal, directory, event ring, supervisor, signals.
/// Daemons, frameworks and executors all start from one. Owns everything in it; destroyed in the main thread, after
/// whatever its owner put on top (servers, links) has been stopped.
class process {
 public:
  /// Blocks SIGINT, SIGTERM and SIGUSR1, which `wait` takes, in this thread and those it makes from now on. `open` does
  /// it too; a program that makes threads before calls it first thing.
  static void block_signals();

  static result<std::unique_ptr<process>> open(const process_options& options);
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  caf::actor_system& system() { return *system_; }
  services& rt() { return *services_; }
  directory& names() { return names_; }
  status_board& board() { return board_; }
  const journal_counters& journal() const { return *journal_counters_; }

  /// Starts an actor, and again whenever it fails.
  void supervise(child_spec child);

  /// Called in the supervisor's thread before a failed child is started again. Set before the first `supervise`.
  void on_restart(std::function<void(const std::string& child)> hook) { on_restart_ = std::move(hook); }

  /// Called once, by the first `stop` in its thread; at once if that has been.
  void on_stop(std::function<void(int exit_code)> hook);

  /// What these signals do; without it they stop the process with exit code 0. Called in `wait`.
  void on_signal(std::function<void(int signal)> hook) { on_signal_ = std::move(hook); }

  /// Makes `wait` return. The first call's code counts. Any thread. A journal that fails does it, with
  /// exit_journal_failed: nobody can recover from it before it is opened anew, and that takes a new process.
  void stop(int exit_code);

  /// Blocks until `stop`; the exit code.
  int wait();

 private:
  explicit process(const process_options& options);
  result<void> start(const process_options& options);
  void on_journal_failed(const error& why);

  std::string name_;
  status_board board_;
  directory names_{board_};
  std::unique_ptr<event_ring> ring_;
  caf::actor_system_config config_;
  std::shared_ptr<journal_counters> journal_counters_ = std::make_shared<journal_counters>();
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<services> services_;
  supervisor_actor supervisor_;
  std::function<void(const std::string&)> on_restart_;
  std::function<void(int)> on_signal_;
  std::function<void(int)> on_stop_;
  std::mutex stop_mutex_;
  std::optional<int> exit_code_;
  int stop_fd_ = -1;
};

}  // namespace troupe
