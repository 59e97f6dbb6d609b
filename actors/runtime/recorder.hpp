#pragma once

#include "actors/runtime/step.hpp"
#include "storage/recording.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace troupe {

/// Writes down what one actor hears and decides. Used by that actor alone.
///
/// Recording never hurts who is recorded: what cannot be written ends the recording, which the log says, and nothing
/// else.
class step_recorder {
 public:
  step_recorder(std::unique_ptr<recording_writer> writer, std::string actor, std::string path);
  ~step_recorder();
  step_recorder(const step_recorder&) = delete;
  step_recorder& operator=(const step_recorder&) = delete;

  /// `event` is the event's id in the ring.
  void add(std::uint64_t event, const Envelope& head, const google::protobuf::Message& body, const context& now,
           const outbox& out);
  /// The step threw.
  void add_failure(std::uint64_t event, const Envelope& head, const google::protobuf::Message& body, const context& now,
                   const std::string& what);

 private:
  void add(const internal::RecordedStep& step);

  std::unique_ptr<recording_writer> writer_;  ///< null once it could not go on
  const std::string actor_;
  const std::string path_;
};

/// Where the actors of a process are recorded: one file for each incarnation of each, in one folder. Any thread.
class recording_folder {
 public:
  /// `software` is what the headers say wrote them.
  recording_folder(std::string path, std::string software, recording_limits limits);

  /// A recording that begins with this state. Its file is named after the address and the incarnation,
  /// `agent-5f0c-2.recording`, and, where one of that name is there, a further number. Null: it cannot be written,
  /// which the log says. `options` may be null.
  std::unique_ptr<step_recorder> begin(const Address& actor, std::uint64_t incarnation,
                                       const google::protobuf::Message& state, const google::protobuf::Message* options,
                                       wall_time now) const;

 private:
  const std::string path_;
  const std::string software_;
  const recording_limits limits_;
};

}  // namespace troupe
