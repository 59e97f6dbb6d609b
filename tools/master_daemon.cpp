#include "tools/master_daemon.hpp"

#include "actors/allocator/allocator_actor.hpp"
#include "actors/master/master_actor.hpp"
#include "actors/runtime/start_over.hpp"
#include "tools/duration_option.hpp"
#include "tools/master_client.hpp"
#include "tools/release.hpp"

#include <arpa/inet.h>

#include <memory>

namespace troupe {

namespace {

v1::MasterInfo describe(const daemon& base) {
  v1::MasterInfo info;
  info.set_id("");  // the master fills it in
  in_addr ip{};
  ::inet_pton(AF_INET, base.options().ip.c_str(), &ip);
  info.set_ip(ip.s_addr);
  info.set_port(base.port());
  info.set_hostname(base.facts().hostname);
  info.set_version(release_version);
  info.mutable_address()->set_hostname(base.facts().hostname);
  info.mutable_address()->set_ip(base.options().ip);
  info.mutable_address()->set_port(base.port());
  return info;
}

void add_master_options(CLI::App& command, master_daemon_options& o) {
  o.common.port = 5050;
  add_daemon_options(command, o.common, "TROUPE_MASTER_");
  auto variable = [](const char* name) { return std::string("TROUPE_MASTER_") + name; };
  add_duration(command, "--agent-ping-timeout", o.master.ping_interval, "Between two pings to an agent",
               variable("AGENT_PING_TIMEOUT"));
  command
      .add_option("--max-agent-ping-timeouts", o.master.pings_missed_max,
                  "Unanswered pings in a row until an agent is unreachable")
      ->envname(variable("MAX_AGENT_PING_TIMEOUTS"))
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  add_duration(command, "--agent-reregister-timeout", o.master.agent_reregister_timeout,
               "How long an agent may take to register again", variable("AGENT_REREGISTER_TIMEOUT"));
  add_optional_duration(command, "--offer-timeout", o.master.offer_timeout,
                        "Take back offers that are older; for ever if not given", variable("OFFER_TIMEOUT"));
  add_duration(command, "--allocation-interval", o.allocator.allocation_interval,
               "Between two sweeps, and the least that a refusal lasts", variable("ALLOCATION_INTERVAL"));
}

int run_master(master_daemon_options options, const std::map<std::string, std::string>& flags) {
  auto common = completed(options.common, "master");
  if (!common) return fail(common.error());
  options.common = *common;
  start_over_options surviving;
  surviving.role = "master";
  surviving.work_dir = options.common.work_dir;
  auto ended = live_on(surviving, [&](bool) -> result<int> {
    auto started = master_daemon::start(options, flags);
    if (!started) return started.error();
    (*started)->stay_where_it_is(options.common);
    return (*started)->host().wait();
  });
  return ended ? *ended : fail(ended.error());
}

}  // namespace

result<std::unique_ptr<master_daemon>> master_daemon::start(const master_daemon_options& options,
                                                            std::map<std::string, std::string> flags) {
  auto base = daemon::open("master", options.common, std::move(flags));
  if (!base) return base.error();
  std::unique_ptr<master_daemon> made(new master_daemon);
  made->base_ = std::move(*base);
  auto& d = *made->base_;
  auto& hub = d.hub(leader());
  // A master that was started again knows nobody: its peers come back as they did the first time.
  d.host().on_restart([&hub](const std::string& child) {
    if (child != "master") return;
    for (const auto& peer : hub.peers()) hub.close_peer(peer.address(), "the master was restarted");
  });
  if (auto listening = d.listen(&master_daemon::identity, ""); !listening) return listening.error();
  d.serve_state<internal::MasterView>("master", master_state_json);
  auto master = options.master;
  master.info = describe(d);
  master.scheme = d.scheme();
  start_master(d.host(), master, d.desk("master"));
  start_allocator(d.host(), options.allocator, d.desk("allocator"));
  if (auto announced = d.announce(); !announced) return announced.error();
  return made;
}

master_daemon::~master_daemon() = default;

link_identity master_daemon::identity() {
  link_identity self;
  self.role = internal::MASTER;
  self.id = "leader";
  self.software = std::string("troupe ") + release_version;
  return self;
}

void add_master_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("master", "Run a master: the one process that knows the cluster");
  auto options = std::make_shared<master_daemon_options>();
  add_master_options(*command, *options);
  command->footer("example: troupe master --work-dir /var/lib/troupe/master");
  command->callback([command, options, &exit_code] { exit_code = run_master(*options, option_values(*command)); });
}

}  // namespace troupe
