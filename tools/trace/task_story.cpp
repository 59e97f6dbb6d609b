#include "tools/trace/task_story.hpp"

#include "actors/runtime/recorded_step.hpp"
#include "storage/keys.hpp"
#include "storage/record_types.hpp"
#include "storage/records.hpp"
#include "tools/trace/mentions.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <memory>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace troupe {

namespace {

using internal::RecordedEdit;
using internal::RecordedLetter;
using internal::RecordedStep;

bool within_id(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

/// Does the id stand there as a whole?
bool names(std::string_view line, std::string_view id) {
  for (auto at = line.find(id); at != std::string_view::npos; at = line.find(id, at + 1)) {
    const auto end = at + id.size();
    if ((at == 0 || !within_id(line[at - 1])) && (end == line.size() || !within_id(line[end]))) return true;
  }
  return false;
}

task_mention mention_in(const google::protobuf::Message* message, const std::string& task) {
  return message == nullptr ? task_mention::none : mentions(*message, task);
}

std::unique_ptr<google::protobuf::Message> record_of(const RecordedEdit& edit) {
  auto record = edit.has_record() ? record_type(edit.key()) : nullptr;
  if (record && !decode_record(edit.record(), *record)) record.reset();
  return record;
}

bool is_about(const RecordedEdit& edit, const std::string& task) {
  const auto parts = keys::components(edit.key());
  return std::find(parts.begin(), parts.end(), task) != parts.end() ||
         mention_in(record_of(edit).get(), task) == task_mention::ours;
}

/// A step with its bodies, and what they speak of.
struct read_step {
  RecordedStep step;
  std::unique_ptr<google::protobuf::Message> body;
  task_mention heard = task_mention::none;
  std::vector<std::pair<std::unique_ptr<google::protobuf::Message>, task_mention>> letters;
  bool stirred = false;            ///< it says or records something about the task
  std::uint64_t first_letter = 0;  ///< Envelope.sequence of the first

  bool matters() const { return heard == task_mention::ours || stirred; }
};

class storyteller {
 public:
  explicit storyteller(std::string task) : task_(std::move(task)) {}

  result<void> read(const std::string& path, const std::function<void(const read_step&, const recording_reader&)>& then,
                    std::vector<std::string>* shortcomings) const {
    auto opened = recording_reader::open(path);
    if (!opened) return opened.error();
    auto& recording = **opened;
    std::uint64_t letters = recording.header().letters_before();
    while (true) {
      auto step = recording.next();
      if (!step && shortcomings) shortcomings->push_back(step.error().message + "; it was read up to there");
      if (!step || !*step) break;
      auto one = examine(std::move(**step));
      one.first_letter = letters + 1;
      letters += one.letters.size();
      then(one, recording);
    }
    if (shortcomings && recording.tail() == recording_tail::size_limit)
      shortcomings->push_back(path + " ended at its size limit; what its actor did later is not in it");
    return {};
  }

  /// The first reading: which steps matter.
  void learn(const read_step& one) {
    if (one.matters()) mattering_.insert(one.step.event());
  }

  /// The second: all that is told.
  void tell(const read_step& one, const recording_reader& recording, std::vector<story_line>& lines) {
    const auto& step = one.step;
    const auto& head = step.head();
    const bool follows = head.cause() != 0 && mattering_.count(head.cause()) != 0;
    if (follows) heard_.insert({head.cause(), to_string(head.from()), head.sequence()});
    const bool caused = follows && one.heard == task_mention::none;
    if (!one.matters() && !caused) return;
    auto line = line_at(one, recording);
    line.is = story_line::kind::hears;
    line.other = to_string(head.from());
    line.verb = written(head.verb());
    line.cause = head.cause();
    line.sequence = head.sequence();
    if (one.body) line.leaves = leaves_of(*one.body);
    lines.push_back(line);
    tell_edits(one, recording, lines);
    tell_letters(one, recording, one.heard == task_mention::ours || (caused && one.stirred), lines);
    for (const auto& text : step.outbox().log()) {
      if (!names(text, task_)) continue;
      auto note = line_at(one, recording);
      note.is = story_line::kind::notes;
      note.text = text;
      lines.push_back(note);
    }
  }

  /// Was this said line heard by somebody who is recorded? After the second reading.
  bool is_heard(const story_line& line) const {
    return line.is == story_line::kind::says && heard_.count({line.event, line.actor, line.sequence}) != 0;
  }

 private:
  read_step examine(RecordedStep step) const {
    read_step one;
    one.body = body_of(step.head().verb(), step.head().payload());
    one.heard = mention_in(one.body.get(), task_);
    for (const auto& letter : step.outbox().letters()) {
      auto body = body_of(letter.verb(), letter.body());
      const auto about = mention_in(body.get(), task_);
      one.stirred = one.stirred || about == task_mention::ours;
      one.letters.emplace_back(std::move(body), about);
    }
    for (const auto& edit : step.outbox().edits()) one.stirred = one.stirred || is_about(edit, task_);
    one.step = std::move(step);
    return one;
  }

  static story_line line_at(const read_step& one, const recording_reader& recording) {
    story_line line;
    line.wall_ns = one.step.context().wall_now_ns();
    line.actor = to_string(recording.header().actor());
    line.event = one.step.event();
    line.recording = recording.name();
    line.frame = recording.frame();
    return line;
  }

  void tell_edits(const read_step& one, const recording_reader& recording, std::vector<story_line>& lines) const {
    for (const auto& edit : one.step.outbox().edits()) {
      if (!is_about(edit, task_)) continue;
      auto line = line_at(one, recording);
      line.is = edit.has_record() ? story_line::kind::records : story_line::kind::erases;
      line.other = edit.key();
      const auto record = record_of(edit);
      if (record) line.verb = record->GetDescriptor()->name();
      if (record) line.leaves = leaves_of(*record);
      lines.push_back(line);
    }
  }

  /// `taskless`: also those that mention no task.
  void tell_letters(const read_step& one, const recording_reader& recording, bool taskless,
                    std::vector<story_line>& lines) const {
    const auto& letters = one.step.outbox().letters();
    for (std::size_t i = 0; i < one.letters.size(); ++i) {
      const auto& [body, about] = one.letters[i];
      const bool told = about == task_mention::ours || (taskless && about == task_mention::none);
      if (!told) continue;
      const auto& letter = letters.Get(static_cast<int>(i));
      auto line = line_at(one, recording);
      line.is = story_line::kind::says;
      line.other = to_string(letter.to());
      line.sequence = one.first_letter + i;
      line.verb = written(letter.verb());
      if (body) line.leaves = leaves_of(*body);
      lines.push_back(line);
    }
  }

  const std::string task_;
  std::set<std::uint64_t> mattering_;
  std::set<std::tuple<std::uint64_t, std::string, std::uint64_t>> heard_;  ///< cause, sender and sequence
};

}  // namespace

const char* to_string(story_line::kind kind) {
  switch (kind) {
    case story_line::kind::hears:
      return "hears";
    case story_line::kind::says:
      return "says";
    case story_line::kind::records:
      return "records";
    case story_line::kind::erases:
      return "erases";
    case story_line::kind::notes:
      return "notes";
  }
  return "hears";
}

result<task_story> story_of(const std::string& task, const std::vector<std::string>& recordings) {
  storyteller teller(task);
  task_story story;
  for (const auto& path : recordings) {
    auto read = teller.read(
        path, [&](const read_step& one, const recording_reader&) { teller.learn(one); }, &story.shortcomings);
    if (!read) return read.error();
  }
  for (const auto& path : recordings) {
    auto read = teller.read(
        path,
        [&](const read_step& one, const recording_reader& recording) { teller.tell(one, recording, story.lines); },
        nullptr);
    if (!read) return read.error();
  }
  story.lines.erase(std::remove_if(story.lines.begin(), story.lines.end(),
                                   [&](const story_line& line) { return teller.is_heard(line); }),
                    story.lines.end());
  std::stable_sort(story.lines.begin(), story.lines.end(),
                   [](const story_line& a, const story_line& b) { return a.wall_ns < b.wall_ns; });
  return story;
}

}  // namespace troupe
