#include "tools/logs_command.hpp"

#include "frameworks/sdk/http_get.hpp"
#include "tools/master_client.hpp"
#include "tools/state_fields.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

namespace troupe {

namespace {

namespace json = boost::json;

struct logs_flags : master_flags {
  std::string task, framework;
  bool error_stream = false, follow = false;
};

/// Where a task's output can be read, and whether it has ended.
struct log_place {
  std::string agent_url, folder;
  bool ended = false;
};

/// Agents serve as their master does: `scheme` is its.
std::string agent_url(const json::value& state, const std::string& id, const std::string& scheme) {
  for (const auto& agent : list(state, "slaves"))
    if (text(agent, "id") == id)
      return sdk::http_url(text(agent, "hostname"), std::atoi(text(agent, "port").c_str()), scheme);
  return {};
}

/// From the latest status that names one.
std::string container_of(const json::value& task) {
  std::string container;
  for (const auto& status : list(task, "statuses")) {
    auto named = text(member(member(status, "container_status"), "container_id"), "value");
    if (!named.empty()) container = named;
  }
  return container;
}

result<log_place> find_task(const json::value& state, const logs_flags& given, const std::string& scheme) {
  log_place place;
  std::string frameworks;
  int found = 0;
  for (const auto* part : {"frameworks", "completed_frameworks"})
    for (const auto& framework : list(state, part)) {
      auto id = text(framework, "id");
      if (!given.framework.empty() && id != given.framework) continue;
      for (const auto* kind : {"tasks", "unreachable_tasks", "completed_tasks"})
        for (const auto& task : list(framework, kind)) {
          if (text(task, "id") != given.task) continue;
          ++found;
          frameworks += " " + id;
          auto executor = text(task, "executor_id");
          auto container = container_of(task);
          place.agent_url = agent_url(state, text(task, "slave_id"), scheme);
          place.folder = "/frameworks/" + id + "/executors/" + (executor.empty() ? given.task : executor) + "/runs/" +
                         container + "/";
          place.ended = std::string_view(kind) == "completed_tasks";
        }
    }
  if (found == 0) return error{errc::not_found, "no task " + given.task + " is known; `troupe tasks --all` lists them"};
  if (found > 1)
    return invalid("several frameworks have a task " + given.task + "; choose one with --framework:" + frameworks);
  if (place.agent_url.empty())
    return error{errc::unavailable, "the agent that ran task " + given.task + " is not here now"};
  return place;
}

int logs(const logs_flags& given) {
  auto url = master_url(given);
  if (!url) return fail(url.error());
  constexpr std::uint64_t piece = 64 * 1024;
  std::uint64_t offset = 0;
  while (true) {
    auto state = fetch_state(*url);
    if (!state) return fail(state.error());
    auto place = find_task(*state, given, url->substr(0, url->find(':')));
    if (!place) return fail(place.error());
    std::size_t read = piece;
    while (read == piece) {
      auto bytes = sdk::download_sandbox_range(
          place->agent_url, place->folder + (given.error_stream ? "stderr" : "stdout"), offset, piece);
      if (!bytes) return fail(bytes.error());
      std::cout << *bytes << std::flush;
      read = bytes->size();
      offset += read;
    }
    if (!given.follow || place->ended) return 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

}  // namespace

void add_logs_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("logs", "What a task wrote, while it runs or after it ended");
  auto given = std::make_shared<logs_flags>();
  add_master_flags(*command, *given, false);
  command->add_option("task", given->task, "The task's id, as `troupe tasks --all` shows it")->required();
  command->add_option("--framework", given->framework, "Whose task, where several frameworks have one of that id");
  command->add_flag("--stderr", given->error_stream, "What it wrote to stderr, not stdout");
  command->add_flag("-f,--follow", given->follow, "Go on until the task ends");
  command->footer("example: troupe logs --follow sh-4711");
  command->callback([given, &exit_code] { exit_code = logs(*given); });
}

}  // namespace troupe
