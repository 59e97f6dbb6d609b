#include "tools/listings.hpp"

#include "protocol/json_text.hpp"
#include "tools/duration_text.hpp"
#include "tools/master_client.hpp"
#include "tools/state_fields.hpp"
#include "tools/table.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

namespace troupe {

namespace {

namespace json = boost::json;

std::string number(double value) {
  std::string out;
  append_json_double(value, out);
  return out.size() > 2 && out.substr(out.size() - 2) == ".0" ? out.substr(0, out.size() - 2) : out;
}

double amount(const json::value& object, const char* resources, const char* name) {
  const auto& found = member(member(object, resources), name);
  return found.is_number() ? found.to_number<double>() : 0;
}

/// `used/total` of one resource.
std::string of_total(const json::value& agent, const char* name) {
  return number(amount(agent, "used_resources", name)) + "/" + number(amount(agent, "resources", name));
}

bool is_true(const json::value& object, const char* key) {
  const auto& found = member(object, key);
  return found.is_bool() && found.get_bool();
}

json::array agents_of(const json::value& state) {
  return list(state, "slaves");
}

json::array frameworks_of(const json::value& state) {
  json::array all = list(state, "frameworks");
  return all;
}

json::array tasks_of(const json::value& state, bool with_ended) {
  json::array all;
  for (const auto* part : {"frameworks", "completed_frameworks"})
    for (const auto& framework : list(state, part))
      for (const auto* kind : {"tasks", "unreachable_tasks", "completed_tasks"}) {
        if (!with_ended && std::string_view(kind) == "completed_tasks") continue;
        for (const auto& task : list(framework, kind)) all.push_back(task);
      }
  return all;
}

json::array offers_of(const json::value& state) {
  json::array all;
  for (const auto& framework : list(state, "frameworks"))
    for (const auto& offer : list(framework, "offers")) all.push_back(offer);
  return all;
}

void warn_if_insecure(const json::value& state) {
  if (is_true(state, "insecure"))
    std::cerr << "warning: this master listens beyond loopback without authentication (--insecure)\n";
}

int print_list(const json::array& items, bool as_json, const std::vector<std::string>& heading,
               const std::function<std::vector<std::string>(const json::value&)>& row) {
  if (as_json) {
    std::cout << json_line(items) << std::endl;
    return 0;
  }
  table rows(heading);
  for (const auto& item : items) rows.add(row(item));
  rows.print(std::cout);
  return 0;
}

std::string short_state(const json::value& task) {
  auto state = text(task, "state");
  return state.rfind("TASK_", 0) == 0 ? state.substr(5) : state;
}

/// What the last status said.
std::string last_message(const json::value& task) {
  const auto& statuses = list(task, "statuses");
  return statuses.empty() ? "" : text(statuses.back(), "message");
}

struct agents_flags : master_flags {
  std::size_t wait = 0;
  std::string timeout = "60s";
};

/// Polls until that many agents are active.
result<json::value> await_agents(const std::string& url, const agents_flags& flags) {
  auto timeout = parse_duration(flags.timeout);
  if (!timeout) return error{errc::invalid_argument, "--timeout: " + timeout.error().message};
  auto deadline = std::chrono::steady_clock::now() + *timeout;
  while (true) {
    auto state = fetch_state(url);
    std::size_t active = 0;
    if (state)
      for (const auto& agent : agents_of(*state)) active += is_true(agent, "active") ? 1 : 0;
    if (state && active >= flags.wait) return state;
    if (std::chrono::steady_clock::now() >= deadline) {
      if (!state) return state.error();
      return error{errc::unavailable, std::to_string(active) + " of " + std::to_string(flags.wait) +
                                          " agents registered within " + flags.timeout};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

int list_agents(const agents_flags& flags) {
  auto url = master_url(flags);
  if (!url) return fail(url.error());
  auto state = flags.wait > 0 ? await_agents(*url, flags) : fetch_state(*url);
  if (!state) return fail(state.error());
  warn_if_insecure(*state);
  return print_list(agents_of(*state), flags.json, {"ID", "ADDRESS", "STATE", "CPUS", "MEM", "DISK", "VERSION"},
                    [](const json::value& a) {
                      return std::vector<std::string>{text(a, "id"),
                                                      text(a, "hostname") + ":" + text(a, "port"),
                                                      is_true(a, "active") ? "active" : "away",
                                                      of_total(a, "cpus"),
                                                      of_total(a, "mem"),
                                                      of_total(a, "disk"),
                                                      text(a, "version")};
                    });
}

int list_frameworks(const master_flags& flags) {
  auto url = master_url(flags);
  if (!url) return fail(url.error());
  auto state = fetch_state(*url);
  if (!state) return fail(state.error());
  warn_if_insecure(*state);
  return print_list(frameworks_of(*state), flags.json, {"ID", "NAME", "USER", "STATE", "TASKS", "CPUS", "MEM"},
                    [](const json::value& f) {
                      return std::vector<std::string>{text(f, "id"),
                                                      text(f, "name"),
                                                      text(f, "user"),
                                                      is_true(f, "connected")   ? "connected"
                                                      : is_true(f, "recovered") ? "recovered"
                                                                                : "disconnected",
                                                      std::to_string(list(f, "tasks").size()),
                                                      number(amount(f, "used_resources", "cpus")),
                                                      number(amount(f, "used_resources", "mem"))};
                    });
}

struct tasks_flags : master_flags {
  bool all = false;
};

int list_tasks(const tasks_flags& flags) {
  auto url = master_url(flags);
  if (!url) return fail(url.error());
  auto state = fetch_state(*url);
  if (!state) return fail(state.error());
  warn_if_insecure(*state);
  return print_list(tasks_of(*state, flags.all), flags.json,
                    {"ID", "NAME", "STATE", "FRAMEWORK", "AGENT", "CPUS", "MEM", "MESSAGE"}, [](const json::value& t) {
                      return std::vector<std::string>{text(t, "id"),
                                                      text(t, "name"),
                                                      short_state(t),
                                                      text(t, "framework_id"),
                                                      text(t, "slave_id"),
                                                      number(amount(t, "resources", "cpus")),
                                                      number(amount(t, "resources", "mem")),
                                                      last_message(t)};
                    });
}

int list_offers(const master_flags& flags) {
  auto url = master_url(flags);
  if (!url) return fail(url.error());
  auto state = fetch_state(*url);
  if (!state) return fail(state.error());
  warn_if_insecure(*state);
  return print_list(offers_of(*state), flags.json, {"ID", "FRAMEWORK", "AGENT", "CPUS", "MEM", "DISK"},
                    [](const json::value& o) {
                      return std::vector<std::string>{text(o, "id"),
                                                      text(o, "framework_id"),
                                                      text(o, "slave_id"),
                                                      number(amount(o, "resources", "cpus")),
                                                      number(amount(o, "resources", "mem")),
                                                      number(amount(o, "resources", "disk"))};
                    });
}

}  // namespace

void add_listing_commands(CLI::App& app, int& exit_code) {
  auto* agents = app.add_subcommand("agents", "The cluster's agents, with what they have and what is used of it");
  auto agents_given = std::make_shared<agents_flags>();
  add_master_flags(*agents, *agents_given, true);
  agents->add_option("--wait", agents_given->wait, "Wait until so many agents are active");
  agents->add_option("--timeout", agents_given->timeout, "How long to wait")->capture_default_str();
  agents->callback([agents_given, &exit_code] { exit_code = list_agents(*agents_given); });

  auto* frameworks = app.add_subcommand("frameworks", "The frameworks that are registered");
  auto frameworks_given = std::make_shared<master_flags>();
  add_master_flags(*frameworks, *frameworks_given, true);
  frameworks->callback([frameworks_given, &exit_code] { exit_code = list_frameworks(*frameworks_given); });

  auto* tasks = app.add_subcommand("tasks", "The tasks of all frameworks");
  auto tasks_given = std::make_shared<tasks_flags>();
  add_master_flags(*tasks, *tasks_given, true);
  tasks->add_flag("--all", tasks_given->all, "Ended ones too");
  tasks->callback([tasks_given, &exit_code] { exit_code = list_tasks(*tasks_given); });

  auto* offers = app.add_subcommand("offers", "The offers that frameworks hold");
  auto offers_given = std::make_shared<master_flags>();
  add_master_flags(*offers, *offers_given, true);
  offers->callback([offers_given, &exit_code] { exit_code = list_offers(*offers_given); });
}

}  // namespace troupe
