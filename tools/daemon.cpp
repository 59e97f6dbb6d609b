#include "tools/daemon.hpp"

#include "actors/gateway/metrics.hpp"
#include "actors/runtime/paced_log_sink.hpp"
#include "isolators/machine.hpp"
#include "protocol/quoting.hpp"
#include "tools/journal_metrics.hpp"
#include "tools/this_build.hpp"

#include <arpa/inet.h>
#include <google/protobuf/stubs/logging.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>

namespace troupe {

namespace fs = std::filesystem;

namespace {

bool is_loopback(const std::string& ip) {
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, ip.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return ::inet_pton(AF_INET6, ip.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/// Listened on, it is every address of the machine; connected to, it is one's own.
bool is_any(const std::string& ip) {
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, ip.c_str(), &v4) == 1) return v4.s_addr == INADDR_ANY;
  return ::inet_pton(AF_INET6, ip.c_str(), &v6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&v6);
}

bool is_ip(const std::string& ip) {
  in_addr v4{};
  in6_addr v6{};
  return ::inet_pton(AF_INET, ip.c_str(), &v4) == 1 || ::inet_pton(AF_INET6, ip.c_str(), &v6) == 1;
}

result<void> make_folder(const std::string& option, const std::string& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (!failed && fs::is_directory(path, failed)) return {};
  const bool is_file = !failed || failed == std::errc::not_a_directory;
  const std::string why = is_file ? "it is, or leads through, a file" : failed.message();
  return error{errc::io, "--" + option + " " + path + ": cannot be made a folder: " + why};
}

/// Anybody may have made it before us, if it is in /tmp; pid files in it say whom we end.
result<void> claim_folder(const std::string& path) {
  struct stat info {};
  bool there = ::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST;
  bool ours = there && ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid() &&
              (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  if (ours) return {};
  return error{errc::io, path + " is no folder that belongs to this user alone; name another with --runtime-dir"};
}

/// A short folder that is this work folder's alone.
result<std::string> default_runtime_dir(const std::string& role, const std::string& work_dir) {
  std::string base = ::geteuid() == 0 ? "/run/troupe" : "/tmp/troupe-" + std::to_string(::geteuid());
  if (auto claimed = claim_folder(base); !claimed) return claimed.error();
  std::uint32_t hash = 2166136261u;
  for (unsigned char c : work_dir) hash = (hash ^ c) * 16777619u;
  return base + "/" + role + "-" + std::to_string(hash);
}

std::string absolute(const std::string& path) {
  return fs::absolute(path).lexically_normal().string();
}

/// So many connections that journal, files and containers still find descriptors.
std::size_t connections_possible(std::size_t wanted, const std::string& role) {
  constexpr rlim_t kept_max = 1024;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
  // What an agent starts inherits its limit, and old programs break where it is high; a master starts nothing.
  if (role == "master" && files.rlim_cur < files.rlim_max) {
    const rlimit raised{std::min<rlim_t>(files.rlim_max, wanted + kept_max), files.rlim_max};
    if (raised.rlim_cur > files.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) files = raised;
  }
  const auto possible = static_cast<std::size_t>(files.rlim_cur - std::min(files.rlim_cur / 4, kept_max));
  if (possible < wanted)
    spdlog::info("{}.few_descriptors limit={} connections_max={} wanted={}", role, files.rlim_cur, possible, wanted);
  return std::min(wanted, possible);
}

/// In colours for people, in groups for files.
void log_to_stderr() {
  if (spdlog::get("troupe")) return;
  if (::isatty(STDERR_FILENO) != 0)
    spdlog::set_default_logger(spdlog::stderr_color_mt("troupe"));
  else
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("troupe", std::make_shared<paced_log_sink>(STDERR_FILENO)));
}

}  // namespace

result<daemon_options> completed(daemon_options options, const std::string& role) {
  if (options.work_dir.empty())
    return invalid("--work-dir is needed: the folder in which the " + role + " keeps what it must remember");
  options.work_dir = absolute(options.work_dir);
  if (options.runtime_dir.empty()) {
    auto chosen = default_runtime_dir(role, options.work_dir);
    if (!chosen) return chosen.error();
    options.runtime_dir = *chosen;
  }
  options.runtime_dir = absolute(options.runtime_dir);
  if (options.hostname.empty()) options.hostname = is_any(options.ip) ? detect_machine("/").hostname : options.ip;
  if (auto refused = refuse_address(options)) return *refused;
  if (auto made = make_folder("work-dir", options.work_dir); !made) return made.error();
  if (auto made = make_folder("runtime-dir", options.runtime_dir); !made) return made.error();
  if (options.record_dir.empty()) return options;
  options.record_dir = absolute(options.record_dir);
  if (auto made = make_folder("record", options.record_dir); !made) return made.error();
  return options;
}

std::optional<error> refuse_address(const daemon_options& options) {
  if (!is_ip(options.ip)) return invalid("--ip " + options.ip + " is no IP address; write for instance 127.0.0.1");
  if (is_loopback(options.ip) || options.insecure || options.tls.serve()) return std::nullopt;
  return invalid("--ip " + options.ip +
                 " is not a loopback address, and nobody who connects would be asked who they are; give --tls-cert "
                 "and --tls-key, or --insecure, which opens it all the same");
}

void add_daemon_options(CLI::App& command, daemon_options& o, const std::string& prefix) {
  auto variable = [&](const char* name) { return prefix + name; };
  command.add_option("--ip", o.ip, "Address to listen on; other than loopback needs TLS or --insecure")
      ->envname(variable("IP"))
      ->capture_default_str();
  command.add_option("--port", o.port, "Port to listen on; 0 picks a free one")
      ->envname(variable("PORT"))
      ->capture_default_str();
  command
      .add_option("--hostname", o.hostname,
                  "Name or address told to others; the ip if not given, or the machine's name if that is 0.0.0.0 or ::")
      ->envname(variable("HOSTNAME"));
  command.add_option("--work-dir", o.work_dir, "Folder for all that must be remembered")->envname(variable("WORK_DIR"));
  command
      .add_option("--runtime-dir", o.runtime_dir,
                  "Folder for sockets and the event ring, best on a tmpfs; at most 80 characters")
      ->envname(variable("RUNTIME_DIR"));
  command.add_option("--ready-file", o.ready_file, "Write the URL here once listening")
      ->envname(variable("READY_FILE"));
  command.add_option("--log-level", o.log_level, "trace, debug, info, warning, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}))
      ->envname(variable("LOG_LEVEL"))
      ->capture_default_str();
  command
      .add_option("--record", o.record_dir,
                  "Record what actors hear and decide into files in this folder, for `troupe replay` and `troupe "
                  "trace`; they hold all that tasks are told")
      ->envname(variable("RECORD"));
  command.add_option("--record-max-mib", o.record_mib_max, "A recording ends at so many MiB")
      ->envname(variable("RECORD_MAX_MIB"))
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command.add_flag("--insecure", o.insecure, "Allow an address beyond loopback although nobody is authenticated")
      ->envname(variable("INSECURE"));
  command.add_option("--max-connections", o.connections_max, "Connections at once, links included")
      ->envname(variable("MAX_CONNECTIONS"))
      ->check(CLI::Range(16, 1000000))
      ->capture_default_str();
  command
      .add_option("--max-connections-per-address", o.connections_per_address_max,
                  "Of these from one address, or one user of this machine; links, once they are up, do not count")
      ->envname(variable("MAX_CONNECTIONS_PER_ADDRESS"))
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  add_tls_options(command, o.tls);
}

void add_tls_options(CLI::App& command, tls_options& o) {
  command
      .add_option("--tls-cert", o.files.certificate, "Serve TLS only, with this certificate (and what follows it), PEM")
      ->envname("TROUPE_TLS_CERT");
  command.add_option("--tls-key", o.files.key, "The key of --tls-cert, PEM, without a passphrase")
      ->envname("TROUPE_TLS_KEY");
  command
      .add_option("--tls-ca", o.files.authority,
                  "Who must have signed the certificates of those who link to us and of those we link to, PEM")
      ->envname("TROUPE_TLS_CA");
  command
      .add_flag("--tls-require-client-cert", o.require_client_certificate,
                "Take nobody without a certificate, not only no links")
      ->envname("TROUPE_TLS_REQUIRE_CLIENT_CERT");
}

std::map<std::string, std::string> option_values(const CLI::App& command) {
  std::map<std::string, std::string> values;
  for (const auto* option : command.get_options()) {
    if (option->get_lnames().empty() || option->get_lnames()[0] == "help") continue;
    auto given = option->empty() ? option->get_default_str() : option->as<std::string>();
    if (!given.empty()) values[option->get_lnames()[0]] = given;
  }
  return values;
}

result<std::unique_ptr<daemon>> daemon::open(const std::string& role, const daemon_options& given,
                                             std::map<std::string, std::string> flags) {
  log_to_stderr();
  spdlog::set_level(spdlog::level::from_str(given.log_level));
  auto complete = completed(given, role);
  if (!complete) return complete.error();
  const auto& options = *complete;
  std::unique_ptr<daemon> made(new daemon);
  if (options.tls.serve()) {
    auto tls = tls_context::of_server(options.tls.files, options.tls.require_client_certificate);
    if (!tls) return tls.error();
    made->tls_ = *tls;
  }
  made->role_ = role;
  made->options_ = options;
  made->facts_.build = this_build();
  made->facts_.start_time = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  made->facts_.hostname = options.hostname;
  made->facts_.insecure = options.insecure;
  made->facts_.flags = std::move(flags);
  // Of each malformed message it would print a line, for whoever cares to send them; we count them (`/metrics`).
  google::protobuf::SetLogHandler(nullptr);
  process_options chosen;
  chosen.restarts_max = options.restarts_max;
  chosen.name = role;
  chosen.journal_dir = options.work_dir + "/journal";
  chosen.ring_path = options.runtime_dir + "/events.ring";
  chosen.ring_bytes = std::size_t{64} << 20;
  auto host = process::open(chosen);
  if (!host) {
    const bool in_work_dir = host.error().message.find(chosen.journal_dir) != std::string::npos;
    return error{host.error().code,
                 (in_work_dir ? "--work-dir " + options.work_dir : "--runtime-dir " + options.runtime_dir) + ": " +
                     host.error().message};
  }
  made->host_ = std::move(*host);
  if (!options.record_dir.empty()) {
    const auto& build = made->facts_.build;
    recording_limits limits;
    limits.file_bytes_max = options.record_mib_max << 20;
    made->recordings_ = std::make_unique<recording_folder>(
        options.record_dir, "troupe " + build.version + (build.git_sha.empty() ? "" : " " + build.git_sha), limits);
    made->host_->rt().recordings = made->recordings_.get();
  }
  made->io_ = std::make_unique<io_threads>();
  constexpr int less_than_all_else = 10;
  made->doors_ = std::make_unique<io_threads>(1, less_than_all_else);
  made->gateway_ = std::make_unique<gateway>(made->routes_, role == "agent" ? "slave(1)" : role, made->facts_.build,
                                             made->host_->board());
  return made;
}

view_desk& daemon::desk(const std::string& actor) {
  auto& desk = desks_[actor];
  if (!desk) desk = std::make_unique<view_desk>(host_->system());
  return *desk;
}

link_hub& daemon::hub(const Address& local) {
  if (!hub_)
    hub_ = std::make_unique<link_hub>(host_->system(), host_->names(), host_->board(), local, link_options_.counters);
  return *hub_;
}

result<void> daemon::listen(std::function<link_identity()> who, const std::string& unix_path) {
  http_options listening;
  listening.address = options_.ip;
  listening.port = options_.port;
  listening.unix_path = unix_path;
  listening.unix_mode = 0666;  // sandboxes of any user talk to their agent through it
  listening.tls = tls_;
  listening.places.all = connections_possible(options_.connections_max, role_);
  listening.places.of_source =
      std::min(options_.connections_per_address_max, listening.places.all - listening.places.all / 4);
  listening.refused = std::make_shared<refusals>(
      [role = role_](refusal cause, const std::string& peer, const std::string& why, std::uint64_t untold) {
        constexpr std::size_t reason_bytes_max = 300;
        spdlog::warn("{}.peer_refused cause={} peer={} untold={} reason={}", role, refusal_name(cause), peer, untold,
                     quoted(why, reason_bytes_max));
      });
  link_options_.refused = listening.refused;
  link_options_.unfinished = listening.unfinished;
  link_acceptor acceptor;
  acceptor.admit = [who](const link_identity& peer) { return admit_callers(who(), peer); };
  acceptor.events = hub_->events();
  acceptor.options = link_options_;
  acceptor.threads = io_.get();
  constexpr std::size_t socket_path_bytes_max = 107;
  if (unix_path.size() > socket_path_bytes_max)
    return invalid("--runtime-dir " + options_.runtime_dir + " is too long: the path of the socket in it, " +
                   unix_path + ", may have " + std::to_string(socket_path_bytes_max) + " bytes");
  auto server = http_server::open(*doors_, listening, routes_, acceptor);
  if (!server)
    return error{server.error().code, "--ip " + options_.ip + ", --port " + std::to_string(options_.port) + ": " +
                                          server.error().message + "; --port 0 picks a free one"};
  server_ = std::move(*server);
  gateway_->metrics()->add(http_metrics(*server_));
  gateway_->metrics()->add(link_metrics(link_options_.counters));
  gateway_->metrics()->add(actor_metrics(host_->board()));
  gateway_->metrics()->add(journal_metrics(host_->journal()));
  bool v6 = options_.hostname.find(':') != std::string::npos;
  facts_.address = (v6 ? "[" + options_.hostname + "]" : options_.hostname) + ":" + std::to_string(server_->port());
  return {};
}

http_response daemon::json(std::string body) {
  http_response response;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

result<void> daemon::announce() {
  spdlog::info("{}.listening url={} insecure={}", role_, url(), options_.insecure);
  warn_of_strangers();
  if (options_.ready_file.empty()) return {};
  auto temporary = options_.ready_file + ".new";
  std::ofstream file(temporary);
  file << url() << '\n';
  file.close();
  std::error_code failed;
  if (file) fs::rename(temporary, options_.ready_file, failed);
  if (!file || failed) return error{errc::io, "--ready-file " + options_.ready_file + " cannot be written"};
  return {};
}

void daemon::warn_of_strangers() const {
  const bool all_known = tls_ && options_.tls.require_client_certificate;
  if (options_.insecure && !all_known)
    spdlog::warn("{}.insecure ip={} anybody who reaches this port may do anything", role_, options_.ip);
  else if (!tls_)
    spdlog::info("{}.loopback_only ip={} without certificates only this machine can connect", role_, options_.ip);
  else if (!tls_->verifies_peers())
    spdlog::warn("{}.tls_without_authority cert={} nobody who connects is asked who they are; --tls-ca changes that",
                 role_, options_.tls.files.certificate);
  else
    spdlog::info("{}.tls cert={} ca={} client_certificates={}", role_, options_.tls.files.certificate,
                 options_.tls.files.authority, all_known ? "always" : "on_links");
}

void daemon::stay_where_it_is(daemon_options& later) const {
  later.port = port();
  later.ready_file.clear();
}

void daemon::stop_listening() {
  if (server_) server_->stop();
  if (hub_) hub_->stop();
}

daemon::~daemon() {
  stop_listening();
  for (auto& [actor, desk] : desks_) desk->close();
  if (gateway_) gateway_->stop();
  server_.reset();
  hub_.reset();
  gateway_.reset();
  if (io_) io_->stop();
  if (doors_) doors_->stop();
  host_.reset();  // whose last answers still find the doors
  doors_.reset();
  io_.reset();
}

}  // namespace troupe
