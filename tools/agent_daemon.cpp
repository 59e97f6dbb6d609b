#include "tools/agent_daemon.hpp"

#include "actors/agent/agent_actor.hpp"
#include "actors/executor/executor_supervisor.hpp"
#include "actors/runtime/durable_id.hpp"
#include "actors/runtime/forget_records.hpp"
#include "actors/runtime/net/link_connector.hpp"
#include "actors/runtime/net/tls_context.hpp"
#include "actors/runtime/start_over.hpp"
#include "isolators/containerizer_actor.hpp"
#include "isolators/launcher.hpp"
#include "isolators/machine.hpp"
#include "isolators/sandbox_collector_actor.hpp"
#include "protocol/attributes.hpp"
#include "storage/keys.hpp"
#include "tools/duration_option.hpp"
#include "tools/master_client.hpp"
#include "tools/release.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <future>
#include <optional>
#include <utility>

namespace troupe {

namespace {

void add_agent_options(CLI::App& command, agent_daemon_options& o) {
  o.common.port = 5051;
  add_daemon_options(command, o.common, "TROUPE_AGENT_");
  auto variable = [](const char* name) { return std::string("TROUPE_AGENT_") + name; };
  command.add_option("--master", o.master, "The master's address, for instance http://127.0.0.1:5050, or https://…")
      ->envname("TROUPE_MASTER");
  command
      .add_option("--resources", o.resources,
                  "What to offer, for instance 'cpus:4;mem:2048;ports:[31000-32000]'; what is not named is detected")
      ->envname(variable("RESOURCES"));
  command.add_option("--attributes", o.attributes, "Shown in offers, for instance 'rack:2;zone:east'")
      ->envname(variable("ATTRIBUTES"));
  command.add_flag("--cgroups,!--no-cgroups", o.cgroups, "Limit tasks by cgroups where the machine has them")
      ->default_val(true);
  command.add_flag("--cfs,!--no-cfs", o.cfs, "Cap cpu time hard at what a task asked for")->default_val(true);
  add_duration(command, "--executor-registration-timeout", o.agent.executor_registration_timeout,
               "How long an executor may take to register", variable("EXECUTOR_REGISTRATION_TIMEOUT"));
  add_duration(command, "--executor-reregistration-timeout", o.agent.executor_reregistration_timeout,
               "How long an executor that runs may take to return to a restarted agent",
               variable("EXECUTOR_REREGISTRATION_TIMEOUT"));
  add_duration(command, "--executor-shutdown-grace-period", o.agent.executor_shutdown_grace,
               "How long an executor may take to shut down", variable("EXECUTOR_SHUTDOWN_GRACE_PERIOD"));
  add_duration(command, "--registration-backoff-factor", o.agent.registration_backoff,
               "Bound of the first random wait before registering with a master that was away",
               variable("REGISTRATION_BACKOFF_FACTOR"));
  add_duration(command, "--gc-delay", o.collection.keep,
               "How long sandboxes are kept after their end on an empty disk; the fuller it is, the shorter",
               variable("GC_DELAY"));
  command
      .add_option("--gc-disk-headroom", o.disk_headroom,
                  "Share of the disk that should be free; sandboxes go at their end while it is not")
      ->check(CLI::Range(0.0, 1.0))
      ->envname(variable("GC_DISK_HEADROOM"))
      ->capture_default_str();
  add_duration(command, "--disk-watch-interval", o.collection.interval, "Between two looks for sandboxes to remove",
               variable("DISK_WATCH_INTERVAL"));
  command
      .add_option(
          "--reconfiguration-policy", o.reconfiguration,
          "What an agent that comes back may have changed: equal, nothing; additive, it may have more resources "
          "and attributes than it had, but none less")
      ->check(CLI::IsMember({"equal", "additive"}))
      ->envname(variable("RECONFIGURATION_POLICY"))
      ->capture_default_str();
  command
      .add_option("--recover", o.recover,
                  "What becomes of what an agent with these folders left behind: reconnect, it goes on; cleanup, it is "
                  "ended and forgotten, and nothing is started")
      ->check(CLI::IsMember({"reconnect", "cleanup"}))
      ->envname(variable("RECOVER"))
      ->capture_default_str();
}

std::string container_folder(const daemon_options& completed) {
  return completed.runtime_dir + "/containers";
}

containerizer_options containers_of(const agent_daemon_options& options, const daemon& d) {
  containerizer_options chosen;
  chosen.runtime_directory = container_folder(d.options());
  chosen.shim_path = shim_beside_program();
  chosen.cgroups.enable = options.cgroups;
  chosen.cgroups.hard_cap_cpus = options.cfs;
  chosen.leave_running = options.leave_running;
  return chosen;
}

collection_options collection_of(const agent_daemon_options& options, const daemon_options& common) {
  auto chosen = options.collection;
  chosen.agents_folder = common.work_dir + "/agents";
  chosen.runtime_directory = container_folder(common);
  chosen.headroom_permille = static_cast<unsigned>(std::lround(options.disk_headroom * 1000));
  return chosen;
}

result<v1::AgentInfo> describe(const agent_daemon_options& options, const daemon& d, const machine& here) {
  v1::AgentInfo info;
  info.set_hostname(d.facts().hostname);
  info.set_port(d.port());
  auto offered = resources_of(here, options.resources);
  if (!offered) return error{errc::invalid_argument, "--resources: " + offered.error().message};
  offered->add_to(info.mutable_resources());
  auto attributes = parse_attributes(options.attributes);
  if (!attributes) return error{errc::invalid_argument, "--attributes: " + attributes.error().message};
  *info.mutable_attributes() = *attributes;
  return info;
}

/// Why the agent cannot come back; nothing if it can, or has ended meanwhile.
using first_word = std::optional<std::string>;

/// What the agent's core tells its process; the first of it is the promise's. Sandboxes are read under their own path,
/// and under /frameworks/... once the agent has an id, which is part of that path. When the master has dismissed the
/// agent, or it has left, nothing is left to do.
std::future<first_word> hear_agent(daemon& d) {
  struct promised {
    std::promise<first_word> promise;
    std::atomic<bool> kept{false};  // an actor that fails and is started again says so again
    void keep(const first_word& word) {
      if (!kept.exchange(true)) promise.set_value(word);
    }
  };
  auto recovered = std::make_shared<promised>();
  auto first = recovered->promise.get_future();
  d.host().on_stop([recovered](int) { recovered->keep({}); });
  auto folder = d.options().work_dir + "/agents";
  auto served = d.http().served_files();
  served->attach(folder, folder);
  auto hear = [served, folder, recovered, &host = d.host()](const internal::ProgramEvent& event) {
    if (event.name() == "recovered") {
      recovered->keep({});
    } else if (event.name() == "misconfigured") {
      recovered->keep(event.data());
    } else if (event.name() == "admitted") {
      served->attach("/frameworks", folder + "/" + event.data() + "/frameworks");
    } else if (event.name() == "dismissed") {
      spdlog::critical("agent.dismissed reason=\"{}\"", event.data());
      host.stop(1);
    } else if (event.name() == "left") {
      spdlog::info("agent.left");
      host.stop(0);
    }
  };
  d.host().names().add_endpoint(
      address(internal::RUNTIME, "local"),
      [hear](const directory::head_ptr&, const directory::body_ptr& body, const std::shared_ptr<void>&) {
        const auto* event = dynamic_cast<const internal::ProgramEvent*>(body.get());
        if (event) hear(*event);
        return event != nullptr;
      });
  return first;
}

/// Blocks until the agent has recovered, or the process stops.
result<void> await_recovery(std::future<first_word> said) {
  if (const auto objection = said.get())
    return invalid(*objection +
                   "\nNothing was changed, and what the agent runs runs on. Start it as it was or with what is valid; "
                   "what --resources does not name is detected. Or have it begin afresh, with any configuration: the "
                   "same command with --recover=cleanup ends what it runs and lets it be forgotten.");
  return {};
}

/// At each start of the agent's actor. Executors of its former life must subscribe to this one, and do so over a new
/// link.
void meet_peers(link_hub& hub) {
  for (const auto& peer : hub.peers()) {
    if (peer.role == internal::EXECUTOR) hub.close_peer(peer.address(), "the agent was restarted");
  }
  hub.announce_peers();
}

/// The next agent in these folders may be another one: it has nothing, and its master ends what it knew of the former.
/// If that one still runs, the journal says so.
int clean_up(const agent_daemon_options& options) {
  auto base = daemon::open("agent", options.common, {});
  if (!base) return fail(base.error());
  auto ended = containerizer::end_leftovers(containers_of(options, **base));
  if (!ended) return fail(ended.error());
  auto forgotten = forget_records(host_of((*base)->host()), "agent");
  return forgotten ? 0 : fail(forgotten.error());
}

int run_agent(agent_daemon_options options, const std::map<std::string, std::string>& flags) {
  auto common = completed(options.common, "agent");
  if (!common) return fail(common.error());
  options.common = *common;
  // While the agent waits for room on its disk, nobody else makes some.
  sandbox_collector collector(collection_of(options, options.common));
  start_over_options surviving;
  surviving.role = "agent";
  surviving.work_dir = options.common.work_dir;
  surviving.make_room = [&collector] {
    constexpr unsigned full_permille = 1000;
    for (const auto& path : collector.collect(std::chrono::system_clock::now(), full_permille))
      spdlog::info("sandbox.collected path={} reason=agent_waits_for_disk", path);
  };
  auto ended = live_on(surviving, [&](bool again) -> result<int> {
    auto started = agent_daemon::start(options, flags);
    if (!started && !again && started.error().code == errc::exhausted) {
      surviving.make_room();
      started = agent_daemon::start(options, flags);
    }
    if (!started) return started.error();
    (*started)->stay_where_it_is(options.common);
    return (*started)->wait();
  });
  return ended ? *ended : fail(ended.error());
}

}  // namespace

result<std::unique_ptr<agent_daemon>> agent_daemon::start(const agent_daemon_options& options,
                                                          std::map<std::string, std::string> flags) {
  master_flags whom;
  whom.master = options.master;
  auto master = master_url(whom);
  if (!master) return master.error();
  std::shared_ptr<const tls_context> tls;
  if (auto target = parse_link_target(*master); !target) {
    return target.error();
  } else if (target->tls) {
    auto opened = tls_context::of_client(options.common.tls.files);
    if (!opened) return opened.error();
    tls = *opened;
  }
  auto base = daemon::open("agent", options.common, std::move(flags));
  if (!base) return base.error();
  std::unique_ptr<agent_daemon> made(new agent_daemon);
  made->base_ = std::move(*base);
  auto& d = *made->base_;

  auto here = detect_machine(d.options().work_dir);
  auto socket = d.options().runtime_dir + "/agent.sock";
  auto id = durable_id(d.host(), keys::identity("agent"));
  if (!id) return id.error();
  made->self_ = address(internal::AGENT, *id);
  auto& hub = d.hub(made->self_);
  auto first = hear_agent(d);
  auto identity = [self = made->self_] {
    link_identity who;
    who.role = self.role();
    who.id = self.id();
    who.software = std::string("troupe ") + release_version;
    return who;
  };
  if (auto listening = d.listen(identity, socket); !listening) return listening.error();
  d.serve_state<internal::AgentView>("agent", agent_state_json);
  auto info = describe(options, d, here);
  if (!info) return info.error();

  // What a containerizer that has failed was asked and did not answer, the next does not know of: the agent begins
  // again too, and asks anew about everything.
  d.host().on_restart([&board = d.host().board(), self = made->self_](const std::string& child) {
    if (child == to_string(containerizer_address())) board.of(to_string(self))->fail();
  });
  start_containerizer(d.host(), containers_of(options, d));
  start_sandbox_collector(d.host(), collection_of(options, d.options()));
  serve_executors(host_of(d.host()), made->self_);
  auto agent = options.agent;
  agent.info = *info;
  agent.reconfiguration = reconfiguration_policy_of(options.reconfiguration).value_or(agent.reconfiguration);
  agent.version = release_version;
  agent.work_dir = d.options().work_dir;
  agent.boot_id = here.boot_id;
  agent.executor_endpoint = "unix:" + socket;
  agent.address = d.facts().address;
  if (!options.common.tls.files.authority.empty())
    agent.tls_authority = std::filesystem::absolute(options.common.tls.files.authority).string();
  start_agent(host_of(d.host()), made->self_, agent, &d.desk("agent"), [&hub](const Address&) { meet_peers(hub); });
  if (auto recovered = await_recovery(std::move(first)); !recovered) return recovered.error();

  if (tls && d.scheme() != "https")
    spdlog::warn("agent.serves_plainly master={} the master speaks TLS and sends people here for sandboxes by https",
                 *master);

  connector_options connecting;
  connecting.link = d.links();
  connecting.link.tls = tls;
  made->connector_ = std::make_unique<link_connector>(
      d.io(), identity, hub.events(), connecting, [](const std::string& target, const error& e) {
        spdlog::warn("link.failed target={} error={}", target, e.message);
      });
  made->connector_->set_target(*master);
  if (auto announced = d.announce(); !announced) return announced.error();
  return made;
}

void agent_daemon::leave() {
  internal::ProgramEvent event;
  event.set_name("leave");
  auto head = std::make_shared<Envelope>();
  *head->mutable_from() = address(internal::RUNTIME, "local");
  *head->mutable_to() = self_;
  head->set_verb(verb_number<internal::ProgramEvent>::value);
  host().names().deliver(head, std::make_shared<const internal::ProgramEvent>(std::move(event)));
}

int agent_daemon::wait() {
  host().on_signal([this](int signal) {
    spdlog::info("agent.stopping signal={} leaves={}", signal, signal == SIGUSR1);
    if (signal == SIGUSR1) return leave();
    host().stop(0);
  });
  return host().wait();
}

agent_daemon::~agent_daemon() {
  if (connector_) connector_->stop();
  connector_.reset();
}

void add_agent_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("agent", "Run an agent: it offers a machine and runs tasks on it");
  auto options = std::make_shared<agent_daemon_options>();
  add_agent_options(*command, *options);
  command->footer(
      "SIGTERM stops the agent; its tasks run on, and it comes back as the same one. SIGUSR1 makes it leave the "
      "cluster "
      "for good, and ends them.\n"
      "exit codes: 0 stopped, left or cleaned up; 1 failed, or dismissed by its master; 2 the command line was wrong,\n"
      "            or takes back resources or attributes that the agent was admitted with; 70 gave up; 74 told to end\n"
      "            while its journal could not be written\n"
      "example: troupe agent --master http://127.0.0.1:5050 --work-dir /var/lib/troupe/agent --resources "
      "'cpus:4;mem:8192'");
  command->callback([command, options, &exit_code] {
    if (options->recover == "cleanup") {
      exit_code = clean_up(*options);
      return;
    }
    exit_code = run_agent(*options, option_values(*command));
  });
}

}  // namespace troupe
