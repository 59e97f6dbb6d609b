#include "tools/trace_command.hpp"

#include "protocol/json_text.hpp"
#include "tools/master_client.hpp"
#include "tools/one_line.hpp"
#include "tools/trace/task_story.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

namespace {

namespace fs = std::filesystem;

struct follow_flags {
  std::string task;
  std::vector<std::string> from;
  bool json = false;
  bool wide = false;
};

/// A folder stands for the recordings in it.
result<std::vector<std::string>> files_of(const std::vector<std::string>& given) {
  std::vector<std::string> files;
  for (const auto& path : given) {
    std::error_code failed;
    if (!fs::is_directory(path, failed)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (fs::directory_iterator at(path, failed), end; !failed && at != end; at.increment(failed))
      if (at->path().extension() == ".recording") found.push_back(at->path().string());
    if (failed) return error{errc::io, path + " cannot be read: " + failed.message()};
    if (found.empty()) return error{errc::not_found, "there is no recording (*.recording) in " + path};
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

/// UTC, to the microsecond.
std::string time_text(std::int64_t wall_ns) {
  constexpr std::int64_t second = 1'000'000'000;
  const auto seconds = static_cast<std::time_t>(wall_ns / second);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:06d}Z", text.data(), wall_ns % second / 1000);
}

bool ends_with(std::string_view text, std::string_view tail) {
  return text.size() >= tail.size() && text.substr(text.size() - tail.size()) == tail;
}

/// The name of a field that a story is followed by: an id, without the `value` it is wrapped in, a state, how something
/// ended. Nothing for any other field.
std::string telling_name(std::string_view path) {
  constexpr std::string_view wrapped = ".value";
  const bool is_wrapped = ends_with(path, wrapped);
  if (is_wrapped) path.remove_suffix(wrapped.size());
  if (is_wrapped && (ends_with(path, "id") || ends_with(path, "ids"))) return std::string(path);
  constexpr std::array<std::string_view, 7> words = {"state",  "reason", "message",    "pid",
                                                     "signal", "status", "exit_status"};
  const auto last = path.substr(path.rfind('.') + 1);  // npos + 1 is 0
  return std::find(words.begin(), words.end(), last) == words.end() ? "" : std::string(path);
}

std::string text_of(const story_line& line, const follow_flags& given) {
  if (line.is == story_line::kind::notes) return line.text;
  if (given.wide) return line_of(line.leaves, std::string::npos);
  constexpr std::size_t bytes_max = 300;
  std::vector<leaf> telling;
  std::set<std::string> told{given.task};  // nothing twice, and of the task's own id nothing
  for (const auto& [path, value] : line.leaves) {
    auto name = telling_name(path);
    if (!name.empty() && told.insert(value).second) telling.emplace_back(std::move(name), value);
  }
  return line_of(telling, bytes_max);
}

/// What happened, and with whom.
std::string deed_of(const story_line& line) {
  const std::string deed = to_string(line.is);
  switch (line.is) {
    case story_line::kind::hears:
      return deed + " " + line.verb + " from " + line.other;
    case story_line::kind::says:
      return deed + " " + line.verb + " to " + line.other;
    case story_line::kind::records:
    case story_line::kind::erases:
      return deed + " " + line.other;
    case story_line::kind::notes:
      return deed;
  }
  return deed;
}

void print(const story_line& line, const follow_flags& given) {
  const auto text = text_of(line, given);
  std::cout << one_line(time_text(line.wall_ns) + " " + line.actor + " " + deed_of(line) +
                        (text.empty() ? "" : "  " + text))
            << '\n';
}

void print_json(const story_line& line) {
  std::string out;
  {
    json_object_writer all(out);
    all.field("time", time_text(line.wall_ns)).field("wall_ns", line.wall_ns).field("actor", line.actor);
    all.field("kind", std::string_view(to_string(line.is)));
    switch (line.is) {
      case story_line::kind::hears:
        all.field("verb", line.verb).field("from", line.other);
        break;
      case story_line::kind::says:
        all.field("verb", line.verb).field("to", line.other);
        break;
      case story_line::kind::records:
      case story_line::kind::erases:
        all.field("key", line.other).field("type", line.verb);
        break;
      case story_line::kind::notes:
        all.field("text", line.text);
        break;
    }
    all.field("event", std::to_string(line.event));
    if (line.cause != 0) all.field("cause", std::to_string(line.cause));
    all.field("recording", line.recording).field("frame", line.frame);
    if (!line.leaves.empty()) {
      json_array_writer fields(all.key("fields"));
      for (const auto& [path, value] : line.leaves)
        json_object_writer(fields.element()).field("path", path).field("value", value);
    }
  }
  std::cout << out << '\n';
}

int follow(const follow_flags& given) {
  auto files = files_of(given.from);
  if (!files) return fail(files.error());
  auto story = story_of(given.task, *files);
  if (!story) return fail(story.error());
  for (const auto& line : story->lines) {
    if (given.json)
      print_json(line);
    else
      print(line, given);
  }
  for (const auto& each : story->shortcomings) std::cerr << "warning: " << each << '\n';
  if (story->lines.empty())
    return fail({errc::not_found, "nothing in " + std::to_string(files->size()) +
                                      (files->size() == 1 ? " recording" : " recordings") + " mentions a task '" +
                                      given.task + "'; `troupe tasks --all` lists ids"});
  return 0;
}

}  // namespace

void add_trace_command(CLI::App& app, int& exit_code) {
  auto* trace = app.add_subcommand("trace", "Who said what to whom, and because of what, from recordings of actors");
  trace->require_subcommand(1);
  auto* command = trace->add_subcommand("follow", "The story of one task, a line for each thing that happened to it");
  auto given = std::make_shared<follow_flags>();
  command->add_option("task", given->task, "The task's id")->required();
  command->add_option("--from", given->from, "Recordings, or folders of them; those of several machines go together")
      ->required();
  command->add_flag("--wide", given->wide, "All fields of each message, not only ids, states and reasons");
  command->add_flag("--json", given->json, "Print JSON, one object a line");
  command->footer(
      "Told are the events, letters, records and log lines that mention the task, and what they caused directly: the "
      "start\nof its container, say. Where the arrival of a letter is recorded too, it is told once, where it is "
      "heard.\n"
      "Times are those of each actor's own machine.\n\n"
      "examples: troupe trace follow hello-1 --from /var/lib/troupe/recordings\n"
      "          troupe trace follow hello-1 --from master-leader-1.recording agent-5f0c-1.recording --json\n"
      "exit codes: 0 done; 1 the task is not mentioned, or a recording cannot be read; 2 the command line was wrong, "
      "or a\n"
      "            newer release made a recording");
  command->callback([given, &exit_code] { exit_code = follow(*given); });
  trace->footer(
      "Recordings are made by `troupe master --record DIR` and `troupe agent --record DIR`.\n"
      "example: troupe trace follow hello-1 --from /var/lib/troupe/recordings");
}

}  // namespace troupe
