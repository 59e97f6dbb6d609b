#include "actors/runtime/recorder.hpp"

#include "actors/runtime/clock.hpp"
#include "actors/runtime/recorded_step.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>

namespace troupe {

namespace {

constexpr unsigned files_of_one_name_max = 10000;

/// An id as a part of a file's name: nothing in it leads elsewhere, and it fits.
std::string file_name_of(std::string id) {
  constexpr std::size_t bytes_max = 150;
  if (id.size() > bytes_max) id.resize(bytes_max);
  std::replace_if(
      id.begin(), id.end(), [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.'; },
      '_');
  return id;
}

/// Makes the first file of the name that is not there yet. `path` becomes its path.
result<std::unique_ptr<recording_writer>> make_file(const std::string& base, const recording_limits& limits,
                                                    std::string& path) {
  constexpr const char* suffix = ".recording";
  path = base + suffix;
  auto made = recording_writer::create(path, limits);
  for (unsigned n = 2; !made && made.error().code == errc::conflict && n <= files_of_one_name_max; ++n) {
    path = base + "." + std::to_string(n) + suffix;
    made = recording_writer::create(path, limits);
  }
  return made;
}

void say_stopped(const std::string& actor, const std::string& path, std::uint64_t steps, const error& why) {
  spdlog::warn("recording.stopped actor={} file={} steps={} reason=\"{}\"", actor, path, steps, why.message);
}

}  // namespace

step_recorder::step_recorder(std::unique_ptr<recording_writer> writer, std::string actor, std::string path)
    : writer_(std::move(writer)), actor_(std::move(actor)), path_(std::move(path)) {}

step_recorder::~step_recorder() {
  if (!writer_) return;
  if (auto ended = writer_->end(internal::RecordingEnd::CLOSED, to_ns(wall_now())); !ended)
    say_stopped(actor_, path_, writer_->steps(), ended.error());
}

void step_recorder::add(std::uint64_t event, const Envelope& head, const google::protobuf::Message& body,
                        const context& now, const outbox& out) {
  if (writer_) add(recorded_step(event, head, body, now, out));
}

void step_recorder::add_failure(std::uint64_t event, const Envelope& head, const google::protobuf::Message& body,
                                const context& now, const std::string& what) {
  if (!writer_) return;
  auto step = recorded_step(event, head, body, now, outbox());
  step.set_failure(what);
  add(step);
}

void step_recorder::add(const internal::RecordedStep& step) {
  auto added = writer_->add(step);
  if (added) return;
  say_stopped(actor_, path_, writer_->steps(), added.error());
  writer_.reset();
}

recording_folder::recording_folder(std::string path, std::string software, recording_limits limits)
    : path_(std::move(path)), software_(std::move(software)), limits_(limits) {}

std::unique_ptr<step_recorder> recording_folder::begin(const Address& actor, std::uint64_t incarnation,
                                                       const google::protobuf::Message& state,
                                                       const google::protobuf::Message* options, wall_time now) const {
  const auto name = to_string(actor);
  std::string path;
  auto base = path_ + "/" + std::string(role_name(actor.role())) + "-" + file_name_of(actor.id()) + "-" +
              std::to_string(incarnation);
  auto writer = make_file(base, limits_, path);
  if (!writer) {
    say_stopped(name, path, 0, writer.error());
    return nullptr;
  }
  internal::RecordingHeader header;
  *header.mutable_actor() = actor;
  header.set_incarnation(incarnation);
  header.set_software(software_);
  header.set_begun_wall_ns(to_ns(now));
  if (auto begun = (*writer)->begin(std::move(header), state, options); !begun) {
    say_stopped(name, path, 0, begun.error());
    return nullptr;
  }
  spdlog::info("recording.begun actor={} file={} state_bytes={}", name, path, (*writer)->bytes());
  return std::make_unique<step_recorder>(std::move(*writer), name, path);
}

}  // namespace troupe
