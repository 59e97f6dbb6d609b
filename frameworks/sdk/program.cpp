#include "frameworks/sdk/program.hpp"

#include "actors/runtime/net/link_dialler.hpp"
#include "actors/runtime/net/tls_context.hpp"
#include "actors/runtime/shell.hpp"
#include "frameworks/sdk/executor_core.hpp"
#include "frameworks/sdk/linked_process.hpp"
#include "frameworks/sdk/scheduler_core.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <mutex>
#include <optional>

namespace troupe::sdk {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// stdout belongs to the program; decisions go to stderr.
void log_to_stderr(bool verbose) {
  if (!spdlog::get("troupe")) spdlog::set_default_logger(spdlog::stderr_color_mt("troupe"));
  spdlog::set_level(verbose ? spdlog::level::info : spdlog::level::err);
}

result<std::string> master_of(const program_options& options) {
  auto master = options.master.empty() ? environment("TROUPE_MASTER") : options.master;
  if (master.empty())
    return invalid("no master given: set TROUPE_MASTER to its address, for instance http://127.0.0.1:5050");
  if (master.find("://") == std::string::npos) master = "http://" + master;
  if (auto parsed = parse_link_target(master); !parsed) return parsed.error();
  return master;
}

/// Says on stderr that the master cannot be reached, at first and then now and again: whoever waits shall know for
/// what.
std::function<void(const std::string&)> complaint(const std::string& name) {
  constexpr auto pause = std::chrono::seconds(30);
  using clock = std::chrono::steady_clock;
  auto last = std::make_shared<std::optional<clock::time_point>>();
  return [name, last, pause](const std::string& why) {
    if (*last && clock::now() - **last < pause) return;
    *last = clock::now();
    std::cerr << name << ": " << why << "; trying again" << std::endl;
  };
}

/// The program as the executor's own threads know it: some may still be at work when it has gone.
class absentable {
 public:
  explicit absentable(linked_process& program) : program_(&program) {}
  void tell(const std::string& name, const std::string& data) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (program_) program_->tell(name, data);
  }
  void leave() {
    std::lock_guard<std::mutex> lock(mutex_);
    program_ = nullptr;
  }

 private:
  std::mutex mutex_;
  linked_process* program_;
};

}  // namespace

struct scheduler_program::parts {
  std::unique_ptr<linked_process> linked;
};

scheduler_program::scheduler_program(std::unique_ptr<parts> p) : parts_(std::move(p)) {}
scheduler_program::~scheduler_program() = default;

result<std::unique_ptr<scheduler_program>> scheduler_program::start(std::shared_ptr<scheduler> logic,
                                                                    const program_options& options) {
  log_to_stderr(options.verbose);
  auto master = master_of(options);
  if (!master) return master.error();
  process_options chosen;
  chosen.name = options.name;
  chosen.journal_dir = options.state_dir;
  auto opened = linked_process::open(chosen);
  if (!opened) return opened.error();
  auto p = std::make_unique<parts>();
  p->linked = std::move(*opened);
  auto* linked = p->linked.get();
  linked->on_link_failed(complaint(options.name));
  if (parse_link_target(*master)->tls) {
    auto tls = tls_context::of_client(tls_files::from_environment());
    if (!tls) return tls.error();
    linked->use_tls(*tls);
  }
  shell_setup<scheduler_core> setup;
  setup.at = address(internal::FRAMEWORK, "");
  setup.identity = keys::identity("framework");
  setup.prefixes = {"framework"};
  setup.make = [logic] { return scheduler_core(logic, {}); };
  auto ready = std::make_shared<std::promise<void>>();
  auto once = std::make_shared<std::once_flag>();
  auto begun = [ready, once] { std::call_once(*once, [&] { ready->set_value(); }); };
  setup.on_ready = [linked, target = *master, begun](const Address& self) {
    linked->on_actor_ready(self, target);
    begun();
  };
  auto& host = linked->host();
  host.on_stop([begun](int) { begun(); });  // it may never get ready: `run` says with which code
  host.supervise(shell_child<scheduler_core, framework_actor>(host.system(), host.rt(), "scheduler", setup));
  ready->get_future().wait();
  return std::unique_ptr<scheduler_program>(new scheduler_program(std::move(p)));
}

void scheduler_program::tell(const std::string& name, const std::string& data) {
  parts_->linked->tell(name, data);
}

int scheduler_program::run() {
  int interrupts = 0;
  auto* linked = parts_->linked.get();
  linked->host().on_signal([linked, &interrupts](int) {
    if (++interrupts == 1)
      linked->tell("interrupt", "");
    else
      linked->host().stop(130);
  });
  return linked->wait();
}

int run_scheduler_program(std::shared_ptr<scheduler> logic, const program_options& options) {
  auto program = scheduler_program::start(std::move(logic), options);
  if (!program) {
    std::cerr << options.name << ": " << program.error().message << std::endl;
    return 2;
  }
  return (*program)->run();
}

result<executor_environment> executor_environment::read() {
  executor_environment found;
  for (auto [variable, field] :
       {std::pair{"TROUPE_FRAMEWORK_ID", &found.framework_id}, std::pair{"TROUPE_EXECUTOR_ID", &found.executor_id},
        std::pair{"TROUPE_CONTAINER_ID", &found.container_id}, std::pair{"TROUPE_SANDBOX", &found.sandbox},
        std::pair{"TROUPE_AGENT_ENDPOINT", &found.agent_endpoint}}) {
    *field = environment(variable);
    if (field->empty())
      return invalid(std::string(variable) + " is not set: an executor is started by an agent, not by hand");
  }
  return found;
}

int run_executor_program(
    const std::function<std::shared_ptr<executor>(const executor_environment&, tell_function)>& make,
    const executor_program_options& options) {
  log_to_stderr(true);
  auto told = executor_environment::read();
  if (!told) {
    std::cerr << told.error().message << std::endl;
    return 2;
  }
  process_options chosen;
  chosen.name = told->executor_id;
  if (!options.state_dir.empty()) chosen.journal_dir = told->sandbox + "/" + options.state_dir;
  auto opened = linked_process::open(chosen);
  if (!opened) {
    std::cerr << opened.error().message << std::endl;
    return 1;
  }
  auto linked = std::move(*opened);
  auto program = std::make_shared<absentable>(*linked);
  auto logic = make(*told, [program](const std::string& name, const std::string& data) { program->tell(name, data); });
  executor_core_options core;
  core.framework_id.set_value(told->framework_id);
  core.executor_id.set_value(told->executor_id);
  shell_setup<executor_core> setup;
  setup.at = address(internal::EXECUTOR, told->container_id);
  setup.identity = keys::identity("executor");
  setup.prefixes = {"executor"};
  setup.make = [logic, core, anew = std::make_shared<bool>(true)]() mutable {
    core.started_anew = std::exchange(*anew, false);
    return executor_core(logic, core);
  };
  setup.on_ready = [linked = linked.get(), endpoint = told->agent_endpoint](const Address& self) {
    linked->on_actor_ready(self, endpoint);
  };
  auto& host = linked->host();
  host.supervise(shell_child<executor_core, custom_executor_actor>(host.system(), host.rt(), "executor", setup));
  int code = linked->wait();
  program->leave();
  return code;
}

}  // namespace troupe::sdk
