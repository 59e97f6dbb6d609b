#include "tools/replay/replay.hpp"

#include "actors/runtime/recorded_step.hpp"
#include "protocol/message_text.hpp"
#include "tools/replay/replayed_core.hpp"

#include <exception>

namespace troupe {

namespace {

using internal::RecordedStep;

/// In which of its two ways the step ends otherwise, if it does.
std::vector<outbox_difference> step_again(replayed_core& core, const RecordedStep& step,
                                          const google::protobuf::Message& body) {
  auto head = step.head();
  head.clear_payload();
  const auto thrown = [](const std::string& failure) { return failure.empty() ? "an outbox" : "it threw: " + failure; };
  std::string failure;
  internal::RecordedOutbox now;
  try {
    now = recorded(core.on(head, body, context_of(step.context())));
  } catch (const std::exception& e) {
    failure = e.what();
  }
  if (failure != step.failure())
    return {{"outcome", {"recorded: " + thrown(step.failure()), "now:      " + thrown(failure)}}};
  return differences(step.outbox(), now);
}

void count(const RecordedStep& step, std::int64_t& began_ns, replay_report& report) {
  if (report.events == 0) began_ns = step.context().now_ns();
  ++report.events;
  report.letters += static_cast<std::uint64_t>(step.outbox().letters_size());
  report.edits += static_cast<std::uint64_t>(step.outbox().edits_size());
  report.recorded = std::chrono::nanoseconds(step.context().now_ns() - began_ns);
}

}  // namespace

result<replay_report> replay(recording_reader& recording) {
  const auto& header = recording.header();
  replay_report report;
  report.actor = header.actor();
  report.incarnation = header.incarnation();
  report.software = header.software();
  auto core = core_of(header);
  if (!core) return error{core.error().code, recording.name() + ": " + core.error().message};
  std::int64_t began_ns = 0;
  while (true) {
    auto step = recording.next();
    if (!step) {
      report.damage = step.error();
      return report;
    }
    if (!*step) break;
    const auto& event = (*step)->head();
    const auto body = body_of(event.verb(), event.payload());
    if (!body) {
      report.damage = error{errc::corrupt, recording.name() + ": frame " + std::to_string(recording.frame()) +
                                               ": its event is of verb " + std::to_string(event.verb()) + ", " +
                                               written(event.verb()) + ", and cannot be read by this release"};
      return report;
    }
    count(**step, began_ns, report);
    auto found = step_again(**core, **step, *body);
    if (found.empty()) continue;
    report.first = divergence{report.events,         recording.frame(), recording.offset(),
                              written(event.verb()), event.from(),      std::move(found)};
    return report;
  }
  report.tail = recording.tail();
  return report;
}

}  // namespace troupe
