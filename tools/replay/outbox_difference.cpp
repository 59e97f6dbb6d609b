#include "tools/replay/outbox_difference.hpp"

#include "actors/runtime/recorded_step.hpp"
#include "protocol/deterministic_bytes.hpp"
#include "protocol/message_text.hpp"
#include "storage/record_types.hpp"
#include "storage/records.hpp"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <sstream>

namespace troupe {

namespace {

using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using internal::RecordedEdit;
using internal::RecordedLetter;
using internal::RecordedOutbox;
using lines = std::vector<std::string>;

constexpr std::size_t lines_max = 20;

lines either(const std::string& before, const std::string& now) {
  return {"recorded: " + before, "now:      " + now};
}

/// Field by field, where both are messages of the same type.
lines fields(const Message* before, const Message* now, std::size_t bytes_before, std::size_t bytes_now) {
  if (before == nullptr || now == nullptr)
    return either(std::to_string(bytes_before) + " bytes of no known type", std::to_string(bytes_now) + " bytes");
  std::string report;
  MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&report);
  differencer.Compare(*before, *now);
  lines found;
  std::istringstream all(report);
  for (std::string line; std::getline(all, line);) {
    if (found.size() == lines_max) {
      found.emplace_back("...");
      break;
    }
    found.push_back(line);
  }
  if (found.empty()) found.emplace_back("the same fields, serialised otherwise");
  return found;
}

std::unique_ptr<Message> record_of(const RecordedEdit& edit) {
  auto record = record_type(edit.key());
  if (record && !decode_record(edit.record(), *record)) record.reset();
  return record;
}

std::string name_of(const RecordedEdit& edit) {
  return (edit.has_record() ? "put " : "erase ") + edit.key();
}

std::string name_of(const RecordedLetter& letter) {
  return written(letter.verb()) + " to " + to_string(letter.to());
}

void compare(const std::string& place, const RecordedEdit& before, const RecordedEdit& now,
             std::vector<outbox_difference>& found) {
  if (before.key() != now.key() || before.has_record() != now.has_record()) {
    found.push_back({place, either(name_of(before), name_of(now))});
  } else if (before.record() != now.record()) {
    found.push_back({place + ", " + name_of(before), fields(record_of(before).get(), record_of(now).get(),
                                                            before.record().size(), now.record().size())});
  }
}

void compare(const std::string& place, const RecordedLetter& before, const RecordedLetter& now,
             std::vector<outbox_difference>& found) {
  if (before.verb() != now.verb() || !same(before.to(), now.to())) {
    found.push_back({place, either(name_of(before), name_of(now))});
  } else if (before.body() != now.body()) {
    found.push_back({place + ", " + name_of(before),
                     fields(body_of(before.verb(), before.body()).get(), body_of(now.verb(), now.body()).get(),
                            before.body().size(), now.body().size())});
  }
}

std::string name_of(const std::string& line) {
  return line;
}

void compare(const std::string& place, const std::string& before, const std::string& now,
             std::vector<outbox_difference>& found) {
  if (before != now) found.push_back({place, either(before, now)});
}

template <class List>
void compare_all(const std::string& noun, const List& before, const List& now, std::vector<outbox_difference>& found) {
  for (int i = 0; i < std::max(before.size(), now.size()); ++i) {
    const auto place = noun + " " + std::to_string(i + 1);
    if (i >= now.size()) {
      found.push_back({place, either(name_of(before.Get(i)), "none")});
    } else if (i >= before.size()) {
      found.push_back({place, either("none", name_of(now.Get(i)))});
    } else {
      compare(place, before.Get(i), now.Get(i), found);
    }
  }
}

std::string moment_text(const RecordedOutbox& out) {
  return out.has_wake_at_ns() ? std::to_string(out.wake_at_ns()) + " ns" : "never";
}

}  // namespace

std::vector<outbox_difference> differences(const RecordedOutbox& before, const RecordedOutbox& now) {
  std::vector<outbox_difference> found;
  if (deterministic_bytes(before) == deterministic_bytes(now)) return found;
  compare_all("edit", before.edits(), now.edits(), found);
  compare_all("letter", before.letters(), now.letters(), found);
  if (moment_text(before) != moment_text(now))
    found.push_back({"wake_at", either(moment_text(before), moment_text(now))});
  compare_all("log line", before.log(), now.log(), found);
  if (found.empty()) found.push_back({"outbox", {"the same fields, serialised otherwise"}});
  return found;
}

}  // namespace troupe
