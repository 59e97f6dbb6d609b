#include "tools/master_client.hpp"

#include "frameworks/sdk/http_get.hpp"

#include <boost/json.hpp>

#include <iostream>

namespace troupe {

void add_master_flags(CLI::App& command, master_flags& flags, bool listing) {
  command.add_option("--master", flags.master, "The master's address, for instance http://127.0.0.1:5050")
      ->envname("TROUPE_MASTER");
  if (listing) command.add_flag("--json", flags.json, "Print JSON instead of a table");
}

result<std::string> master_url(const master_flags& flags) {
  if (flags.master.empty())
    return invalid(
        "no master given: use --master http://HOST:PORT or set TROUPE_MASTER; `troupe local` starts one to try");
  auto url = flags.master.find("://") == std::string::npos ? "http://" + flags.master : flags.master;
  if (url.rfind("http://", 0) != 0)
    return invalid("--master " + flags.master + ": only http://HOST:PORT is understood");
  while (url.back() == '/') url.pop_back();
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
