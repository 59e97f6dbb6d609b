#include "tools/replay_command.hpp"

#include "protocol/json_text.hpp"
#include "tools/master_client.hpp"
#include "tools/one_line.hpp"
#include "tools/replay/replay.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

namespace {

using std::chrono::duration;

struct replay_flags {
  std::vector<std::string> files;
  bool verify = false;
  bool json = false;
};

std::string verdict(const replay_report& report) {
  return report.first ? "no" : report.damage ? "damaged" : "yes";
}

const char* tail_text(recording_tail tail) {
  switch (tail) {
    case recording_tail::open:
      return "open";
    case recording_tail::torn:
      return "torn";
    case recording_tail::closed:
      return "closed";
    case recording_tail::size_limit:
      return "size_limit";
  }
  return "open";
}

void print(const replay_report& report, duration<double> real) {
  const auto line = fmt::format(
      "replay actor={} incarnation={} events={} letters={} edits={} recorded_s={:.3f} real_s={:.3f} "
      "tail={} identical={}",
      to_string(report.actor), report.incarnation, report.events, report.letters, report.edits,
      duration<double>(report.recorded).count(), real.count(), tail_text(report.tail), verdict(report));
  std::cout << line << '\n';
  if (!report.first) return;
  constexpr std::size_t line_bytes_max = 2000;
  const auto& first = *report.first;
  std::cout << "first difference: event " << first.event << ", " << first.verb << " from " << to_string(first.from)
            << " (frame " << first.frame << " at offset " << first.offset << ")\n";
  for (const auto& each : first.differences) {
    std::cout << "  " << one_line(each.what, line_bytes_max) << '\n';
    for (const auto& how : each.how) std::cout << "    " << one_line(how, line_bytes_max) << '\n';
  }
  std::cout << "recorded by " << report.software << '\n';
}

void print_json(const std::string& file, const replay_report& report, duration<double> real) {
  std::string out;
  {
    json_object_writer all(out);
    all.field("file", file).field("actor", to_string(report.actor)).field("incarnation", report.incarnation);
    all.field("software", report.software).field("events", report.events).field("letters", report.letters);
    all.field("edits", report.edits).field("recorded_s", duration<double>(report.recorded).count());
    all.field("real_s", real.count()).field("tail", std::string_view(tail_text(report.tail)));
    all.field("identical", std::string_view(verdict(report)));
    if (report.damage) all.field("damage", report.damage->message);
    if (report.first) {
      json_object_writer first(all.key("first_difference"));
      first.field("event", report.first->event).field("verb", report.first->verb);
      first.field("from", to_string(report.first->from)).field("frame", report.first->frame);
      first.field("offset", report.first->offset);
      json_array_writer differences(first.key("differences"));
      for (const auto& each : report.first->differences) {
        json_object_writer one(differences.element());
        one.field("what", each.what);
        json_array_writer how(one.key("how"));
        for (const auto& line : each.how) how.add(line);
      }
    }
  }
  std::cout << out << '\n';
}

int verify(const std::string& file, bool json) {
  const auto began = std::chrono::steady_clock::now();
  auto recording = recording_reader::open(file);
  if (!recording) return fail(recording.error());
  auto report = replay(**recording);
  if (!report) return fail(report.error());
  const duration<double> real = std::chrono::steady_clock::now() - began;
  if (json)
    print_json(file, *report, real);
  else
    print(*report, real);
  if (report->damage) return fail(*report->damage);
  if (!report->first && report->tail == recording_tail::torn)
    std::cerr << "warning: " << file << " ends within a frame: it was cut off while that was written, or is still "
              << "being written; all before it was replayed\n";
  return report->first ? 1 : 0;
}

int verify_all(const replay_flags& given) {
  if (!given.verify) return fail(invalid("say what to do with the recording: --verify"));
  int worst = 0;
  for (const auto& file : given.files) worst = std::max(worst, verify(file, given.json));
  return worst;
}

}  // namespace

void add_replay_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("replay", "Run an actor's decisions again on what it heard, from a recording of it");
  auto given = std::make_shared<replay_flags>();
  command
      ->add_option("file", given->files,
                   "Recordings, as `troupe master --record` and `troupe agent --record` make them")
      ->required();
  command->add_flag("--verify", given->verify,
                    "Compare each decision with the recorded one; name the first that differs, and how");
  command->add_flag("--json", given->json, "Print JSON, one object a recording");
  command->footer(
      "The production code of this program decides again, from the saved state and the recorded events alone; nothing "
      "is sent,\nstarted or written. real_s is how long that took, recorded_s how long it took when it was "
      "recorded.\n\n"
      "examples: troupe replay --verify /var/lib/troupe/recordings/master-leader-1.recording\n"
      "          troupe replay --verify --json recordings/*.recording | jq -r 'select(.identical != \"yes\") | .file'\n"
      "exit codes: 0 all identical; 1 a decision differs, or a recording is damaged or cannot be read; 2 the command "
      "line "
      "was\n            wrong, or a newer release made the recording");
  command->callback([given, &exit_code] { exit_code = verify_all(*given); });
}

}  // namespace troupe
