#pragma once

#include "protocol/message_text.hpp"
#include "storage/recording.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// One thing that happened to a task.
struct story_line {
  enum class kind {
    hears,    ///< an event of the actor
    says,     ///< a letter that its step sent
    records,  ///< a record that its step put
    erases,   ///< one that it erased
    notes     ///< a line that its step logged
  };

  kind is = kind::hears;
  std::int64_t wall_ns = 0;  ///< of the step, by the clock of the actor's machine
  std::string actor;
  std::string other;           ///< who said what is heard, or to whom it is said; the key of a record
  std::string verb;            ///< of what is heard or said; the type of what is recorded
  std::vector<leaf> leaves;    ///< of the message or record
  std::string text;            ///< of a note
  std::uint64_t event = 0;     ///< whose step this is
  std::uint64_t cause = 0;     ///< of what is heard: the event whose step said it
  std::uint64_t sequence = 0;  ///< of what is heard or said, among the letters of who says it
  std::string recording;
  std::uint64_t frame = 0;
};

const char* to_string(story_line::kind kind);

struct task_story {
  std::vector<story_line> lines;          ///< in order of time
  std::vector<std::string> shortcomings;  ///< a sentence for each recording that could not be read to its end
};

/// What these recordings tell of a task: each event, letter, record and log line that mentions it, and what such a step
/// caused without mentioning any task: the launch of its container, the release of its offer. A letter whose arrival is
/// recorded too is told once, where it is heard. Errors: a recording cannot be opened.
result<task_story> story_of(const std::string& task, const std::vector<std::string>& recordings);

}  // namespace troupe
