#pragma once

#include "frameworks/sdk/executor.hpp"
#include "frameworks/sdk/scheduler.hpp"
#include "protocol/error.hpp"

#include <functional>
#include <memory>
#include <string>

/// The process around a scheduler or an executor: actor system, journal, link, signals.
namespace troupe::sdk {

struct program_options {
  std::string name = "framework";  ///< for logs
  /// http://host:port or https://host:port; empty: $TROUPE_MASTER. Of https, $TROUPE_TLS_CA says whom to trust, and
  /// $TROUPE_TLS_CERT with $TROUPE_TLS_KEY who we are; a master with an authority asks for that.
  std::string master;
  std::string state_dir;  ///< where the framework's id and records are kept; empty: nowhere
  bool verbose = false;   ///< logs every decision to stderr, else warnings only
};

/// A scheduler's process.
class scheduler_program {
 public:
  /// Errors: invalid_argument (no master, an address that is none, or what is wrong with a certificate's file),
  /// unavailable (state_dir is in use), io.
  static result<std::unique_ptr<scheduler_program>> start(std::shared_ptr<scheduler> logic,
                                                          const program_options& options);
  ~scheduler_program();

  /// Sends on_program_event to the scheduler. Any thread.
  void tell(const std::string& name, const std::string& data = {});

  /// Until the scheduler stops; its exit code. SIGINT and SIGTERM become the program event "interrupt"; a second one
  /// ends the program at once.
  int run();

 private:
  struct parts;
  explicit scheduler_program(std::unique_ptr<parts> p);
  std::unique_ptr<parts> parts_;
};

/// Runs a scheduler to its end; errors are printed. For a main that has nothing else to do.
int run_scheduler_program(std::shared_ptr<scheduler> logic, const program_options& options);

/// What the agent told this executor in its environment.
struct executor_environment {
  std::string framework_id, executor_id, container_id, sandbox, agent_endpoint;
  /// Errors: invalid_argument, naming the variable that is missing.
  static result<executor_environment> read();
};

struct executor_program_options {
  /// Where tasks, reports and records are kept, within the sandbox; empty: nowhere, and a program that is started again
  /// has forgotten them.
  std::string state_dir = "executor.journal";
};

/// Runs an executor to its end; the exit code. `make` gets what the agent said and a function that sends
/// on_program_event, which any thread may call for as long as the executor lives.
using tell_function = std::function<void(const std::string& name, const std::string& data)>;
int run_executor_program(
    const std::function<std::shared_ptr<executor>(const executor_environment&, tell_function)>& make,
    const executor_program_options& options = {});

}  // namespace troupe::sdk
