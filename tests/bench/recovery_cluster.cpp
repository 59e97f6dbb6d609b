#include "actors/agent/agent_actor.hpp"
#include "actors/allocator/allocator_actor.hpp"
#include "actors/executor/executor_supervisor.hpp"
#include "actors/master/master_actor.hpp"
#include "actors/runtime/durable_id.hpp"
#include "actors/runtime/link_hub.hpp"
#include "actors/runtime/net/http_server.hpp"
#include "actors/runtime/net/link_connector.hpp"
#include "isolators/containerizer_actor.hpp"
#include "protocol/resources.hpp"
#include "storage/keys.hpp"
#include "tests/bench/recovery_bench.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace troupe::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t ring_bytes = std::size_t{64} << 20;  // as daemons have

link_identity identity_of(const Address& self) {
  link_identity who;
  who.role = self.role();
  who.id = self.id();
  who.software = "recovery_bench";
  return who;
}

/// What both have: a process, and a hub between its links and its actor.
class part {
 public:
  /// An empty folder keeps its records in memory.
  result<void> open(const std::string& name, const std::string& journal_dir) {
    process_options options;
    options.name = name;
    options.journal_dir = journal_dir;
    options.ring_bytes = ring_bytes;
    auto host = process::open(options);
    if (!host) return host.error();
    host_ = std::move(*host);
    io_ = std::make_unique<io_threads>();
    return {};
  }
  void at(const Address& self) {
    self_ = self;
    hub_ = std::make_unique<link_hub>(host_->system(), host_->names(), host_->board(), self, links_.counters);
  }
  ~part() {
    if (hub_) hub_->stop();
    hub_.reset();
    if (io_) io_->stop();
    host_.reset();
    io_.reset();
  }

  process& host() { return *host_; }
  io_threads& io() { return *io_; }
  link_hub& hub() { return *hub_; }
  const Address& self() const { return self_; }
  const link_options& links() const { return links_; }

 private:
  link_options links_;
  Address self_;
  std::unique_ptr<process> host_;
  std::unique_ptr<io_threads> io_;
  std::unique_ptr<link_hub> hub_;
};

class small_master {
 public:
  result<void> start(const std::string& journal_dir) {
    if (auto opened = part_.open("master", journal_dir); !opened) return opened;
    part_.at(leader());
    link_acceptor acceptor;
    acceptor.admit = [](const link_identity& peer) { return admit_callers(identity_of(leader()), peer); };
    acceptor.events = part_.hub().events();
    acceptor.options = part_.links();
    auto server = http_server::open(part_.io(), {}, std::make_shared<http_routes>(), acceptor);
    if (!server) return server.error();
    server_ = std::move(*server);
    desk_ = std::make_unique<view_desk>(part_.host().system());
    allocator_desk_ = std::make_unique<view_desk>(part_.host().system());
    master_options options;
    options.info.set_hostname("127.0.0.1");
    options.info.set_port(server_->port());
    start_master(part_.host(), options, *desk_);
    start_allocator(part_.host(), {}, *allocator_desk_);
    return {};
  }
  ~small_master() {
    if (server_) server_->stop();
    for (auto* desk : {desk_.get(), allocator_desk_.get()})
      if (desk) desk->close();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  process& host() { return part_.host(); }

 private:
  part part_;
  std::unique_ptr<view_desk> desk_, allocator_desk_;
  std::unique_ptr<http_server> server_;
};

class small_agent {
 public:
  /// `on_admitted` is called in an actor's thread.
  result<void> start(const std::string& folder, const std::string& journal_dir, const std::string& master,
                     std::function<void()> on_admitted) {
    if (auto opened = part_.open("agent", journal_dir); !opened) return opened;
    auto id = durable_id(part_.host(), keys::identity("agent"));
    if (!id) return id.error();
    part_.at(address(internal::AGENT, *id));
    hear(std::move(on_admitted));
    containerizer_options containers;
    containers.runtime_directory = folder + "/containers";
    containers.shim_path = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin" / "troupe-shim";
    start_containerizer(part_.host(), containers);
    serve_executors(host_of(part_.host()), part_.self());
    agent_options options;
    options.info.set_hostname("127.0.0.1");
    options.info.set_port(1);
    resources::parse("cpus:100;mem:100000;disk:1000").value().add_to(options.info.mutable_resources());
    options.version = "0";
    options.work_dir = folder + "/work";
    options.boot_id = "bench";
    options.registration_backoff = std::chrono::milliseconds(10);
    start_agent(host_of(part_.host()), part_.self(), options, nullptr,
                [this](const Address&) { part_.hub().announce_peers(); });
    connector_options connecting;
    connecting.link = part_.links();
    connector_ = std::make_unique<link_connector>(
        part_.io(), [self = part_.self()] { return identity_of(self); }, part_.hub().events(), connecting);
    connector_->set_target(master);
    return {};
  }
  ~small_agent() {
    if (connector_) connector_->stop();
  }

 private:
  void hear(std::function<void()> on_admitted) {
    part_.host().names().add_endpoint(
        address(internal::RUNTIME, "local"),
        [on_admitted = std::move(on_admitted)](const directory::head_ptr&, const directory::body_ptr& body,
                                               const std::shared_ptr<void>&) {
          const auto* event = dynamic_cast<const internal::ProgramEvent*>(body.get());
          if (event && event->name() == "admitted") on_admitted();
          return event != nullptr;
        });
  }

  part part_;
  std::unique_ptr<link_connector> connector_;
};

int failed(const error& e) {
  std::fprintf(stderr, "recovery_bench: %s\n", e.message.c_str());
  return 1;
}

}  // namespace

int run_small_cluster(const std::string& folder, bool durable) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("troupe"));
  spdlog::set_level(spdlog::level::warn);
  fs::create_directories(folder + "/work");
  const auto journal = [&](const char* name) { return durable ? folder + "/" + name + "-journal" : std::string(); };
  small_master master;
  if (auto started = master.start(journal("master")); !started) return failed(started.error());
  small_agent agent;
  const auto tell = [url = master.url()] {
    std::puts(url.c_str());
    std::fflush(stdout);
  };
  if (auto started = agent.start(folder, journal("agent"), master.url(), tell); !started)
    return failed(started.error());
  return master.host().wait();
}

}  // namespace troupe::bench
