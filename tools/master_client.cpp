#include "tools/master_client.hpp"

#include "actors/runtime/net/link_dialler.hpp"
#include "frameworks/sdk/http_get.hpp"

#include <boost/json.hpp>

#include <stdlib.h>

#include <iostream>

namespace troupe {

namespace {

/// What reads over HTTP and what links takes this from the environment, as in any framework.
void add_tls_flag(CLI::App& command, const std::string& flag, const char* variable, const std::string& help) {
  command.add_option_function<std::string>(
      flag, [variable](const std::string& file) { ::setenv(variable, file.c_str(), 1); },
      help + " (env " + variable + ")");
}

}  // namespace

void add_master_flags(CLI::App& command, master_flags& flags, bool listing) {
  command
      .add_option("--master", flags.master, "The master's address, for instance http://127.0.0.1:5050, or https://…")
      ->envname("TROUPE_MASTER");
  add_tls_flag(command, "--tls-ca", "TROUPE_TLS_CA", "Who must have signed the certificates of master and agents, PEM");
  add_tls_flag(command, "--tls-cert", "TROUPE_TLS_CERT", "Our own certificate, for a cluster that asks for it, PEM");
  add_tls_flag(command, "--tls-key", "TROUPE_TLS_KEY", "The key of --tls-cert, PEM");
  if (listing) command.add_flag("--json", flags.json, "Print JSON instead of a table");
}

result<std::string> master_url(const master_flags& flags) {
  if (flags.master.empty())
    return invalid(
        "no master given: use --master http://HOST:PORT (or https) or set TROUPE_MASTER; `troupe local` starts one to "
        "try");
  auto url = flags.master.find("://") == std::string::npos ? "http://" + flags.master : flags.master;
  if (url.rfind("http://", 0) != 0 && url.rfind("https://", 0) != 0)
    return invalid("--master " + flags.master + ": only http://HOST:PORT and https://HOST:PORT are understood");
  while (url.back() == '/') url.pop_back();
  if (auto understood = parse_link_target(url); !understood)
    return error{errc::invalid_argument, "--master " + flags.master + ": " + understood.error().message};
  return url;
}

result<boost::json::value> fetch_state(const std::string& url) {
  auto body = sdk::http_get_ok(url + "/state");
  if (!body) return body.error();
  boost::system::error_code failed;
  auto state = boost::json::parse(*body, failed);
  if (failed || !state.is_object())
    return error{errc::corrupt, url + "/state answered something that is not a JSON object"};
  return state;
}

int fail(const error& e) {
  std::cerr << "troupe: " << e.message << std::endl;
  return e.code == errc::invalid_argument ? 2 : 1;
}

}  // namespace troupe
