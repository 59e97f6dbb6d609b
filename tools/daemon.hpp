#pragma once

#include "actors/gateway/gateway.hpp"
#include "actors/gateway/state_json.hpp"
#include "actors/runtime/link_hub.hpp"
#include "actors/runtime/net/http_server.hpp"
#include "actors/runtime/net/io_threads.hpp"
#include "actors/runtime/net/tls_context.hpp"
#include "actors/runtime/process.hpp"
#include "actors/runtime/recorder.hpp"
#include "actors/runtime/view_desk.hpp"
#include "protocol/error.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace troupe {

/// How a daemon's port speaks TLS, and how it speaks TLS with others.
struct tls_options {
  tls_files files;
  bool require_client_certificate = false;
  /// Whether the port serves TLS, and nothing else.
  bool serve() const { return !files.certificate.empty() || !files.key.empty(); }
};

void add_tls_options(CLI::App& command, tls_options& options);

/// What masters and agents are started with alike. One table, `add_daemon_options`, gives each its flag, environment,
/// unit and help.
struct daemon_options {
  std::string ip = "127.0.0.1";
  std::uint16_t port = 0;
  std::string hostname;  ///< told to others; empty: the ip, or the machine's name if that is any address
  std::string work_dir;
  std::string runtime_dir;  ///< event ring and sockets; empty: a folder under /run or /tmp, named after the work folder
  std::string ready_file;   ///< where the URL is written once the daemon listens; empty: nowhere
  std::string log_level = "info";
  std::string record_dir;               ///< where the inboxes of actors are recorded; empty: nowhere
  std::uint64_t record_mib_max = 1024;  ///< of one recording
  bool insecure = false;
  std::size_t restarts_max = 5;         ///< of actors, within a minute; one more ends the process
  std::size_t connections_max = 16384;  ///< links included; fewer where the process may not open so many files
  std::size_t connections_per_address_max = 1024;  ///< or user of the Unix socket; links do not count
  tls_options tls;
};

/// With all that is not given filled in, the folders made and absolute. Errors name the option.
result<daemon_options> completed(daemon_options options, const std::string& role);

void add_daemon_options(CLI::App& command, daemon_options& options, const std::string& variable_prefix);

/// All options of a command that have a value, by name: for /state.
std::map<std::string, std::string> option_values(const CLI::App& command);

/// The parts that every daemon has, in the order in which they are built; destroyed in reverse.
class daemon {
 public:
  /// Checks the options, makes the folders, opens process and journal. Errors name the option.
  static result<std::unique_ptr<daemon>> open(const std::string& role, const daemon_options& given,
                                              std::map<std::string, std::string> flags);
  ~daemon();

  process& host() { return *host_; }
  const daemon_options& options() const { return options_; }
  const daemon_facts& facts() const { return facts_; }
  io_threads& io() { return *io_; }
  /// What is served over HTTP.
  gateway& http() { return *gateway_; }
  link_options& links() { return link_options_; }
  /// Where views of the actor of this name are asked for.
  view_desk& desk(const std::string& actor);
  /// Where it listens; after `listen`.
  std::uint16_t port() const { return server_->port(); }
  std::string url() const { return scheme() + "://" + facts_.address; }
  std::string scheme() const { return tls_ ? "https" : "http"; }

  /// GET /state: `render` turns the view of the actor of this name into JSON. After `listen`: it shows the address.
  template <class View>
  void serve_state(const std::string& actor, std::string (*render)(const View&, const daemon_facts&)) {
    auto& asked = desk(actor);
    gateway_->add_view("/state", [this, &asked, render](const http_request&, responder respond) {
      asked.ask("", [this, render, respond](const view& found) {
        // Not in the actors' thread: a large view takes its time to write.
        doors_->post([this, render, respond, found] {
          const auto* known = dynamic_cast<const View*>(found.get());
          respond(known ? json(render(*known, facts_)) : http_text(503, "Not recovered yet; try again.\n"));
        });
      });
    });
  }

  /// Takes over the hub that stands between links and the role's actor. Before `listen`.
  link_hub& hub(const Address& local);

  /// Listens, on the Unix socket too if a path is given; afterwards `facts().address` holds the port. `who` answers who
  /// we are to a peer.
  result<void> listen(std::function<link_identity()> who, const std::string& unix_path);

  /// Says where it listens in the log and the ready file.
  result<void> announce();

  /// Lets a later life of this daemon listen at the same port, and tell nobody again.
  void stay_where_it_is(daemon_options& later) const;

  /// Ends connections and links: nothing from outside arrives any more.
  void stop_listening();

 private:
  daemon() = default;
  static http_response json(std::string body);
  void warn_of_strangers() const;

  std::string role_;
  daemon_options options_;
  daemon_facts facts_;
  link_options link_options_;
  std::shared_ptr<const tls_context> tls_;        ///< of the port; null: plain
  std::unique_ptr<recording_folder> recordings_;  ///< null: nothing is recorded
  std::unique_ptr<process> host_;
  std::map<std::string, std::unique_ptr<view_desk>> desks_;
  std::unique_ptr<io_threads> io_;     ///< where links run
  std::unique_ptr<io_threads> doors_;  ///< where strangers are heard: what they ask for delays no link
  std::shared_ptr<http_routes> routes_ = std::make_shared<http_routes>();
  std::unique_ptr<gateway> gateway_;
  std::unique_ptr<link_hub> hub_;
  std::unique_ptr<http_server> server_;
};

/// Why this address may not be bound; absent if it may: loopback always, others only with TLS or --insecure.
std::optional<error> refuse_address(const daemon_options& options);

}  // namespace troupe
