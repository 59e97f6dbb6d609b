#pragma once

#include "protocol/error.hpp"
#include "troupe/internal/recording.pb.h"

#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// Recordings: the inbox of one actor as a file. Its messages are in protocol/proto/troupe/internal/recording.proto;
/// around them the file is
///
///     8 bytes  "TROUPE-R"
///     4 bytes  version, little endian
///     4 bytes  CRC-32C of these 12
///     frames, numbered from 1, one behind the other; each is
///         4 bytes  how many bytes its payload has, little endian
///         4 bytes  CRC-32C of the payload
///         4 bytes  CRC-32C of the frame's number (8 bytes, little endian) and the 8 bytes above
///         payload: a RecordingFrame, serialised deterministically
///
/// The first 16 bytes are the same in every version. Frames are only ever appended. The number in the checksum tells of
/// frames that were left out or moved. A file may end within a frame, or in zeros: what was being written when its
/// process or machine ended. Nothing in it is synced: it is for looking into, not for recovering from.
///
/// What actors hear is as private as what they remember: files belong to their user alone (mode 0600).
namespace troupe {

/// The version that is written, and the newest that can be read.
constexpr std::uint32_t recording_version = 1;

struct recording_limits {
  /// No longer than this, the frame that says so included.
  std::uint64_t file_bytes_max = std::uint64_t{1} << 30;
};

/// Writes one recording, a write(2) a frame: what was added is in the kernel's hands, and outlives the process. Used by
/// one thread.
///
/// After its first error it writes no more: what could follow would be a recording with a hole. At the limit it says so
/// in a last frame; add() then answers exhausted.
class recording_writer {
 public:
  /// Makes the file, which must not be there yet. Errors name the path.
  static result<std::unique_ptr<recording_writer>> create(const std::string& path, recording_limits limits = {});
  /// Into a string that outlives it: for worlds without disks.
  static std::unique_ptr<recording_writer> into(std::string& bytes, recording_limits limits = {});

  ~recording_writer();
  recording_writer(const recording_writer&) = delete;
  recording_writer& operator=(const recording_writer&) = delete;

  /// The first frame. `state` is the core's, before its first step; `options` what it was made with, or null. Both are
  /// put into the header.
  result<void> begin(internal::RecordingHeader header, const google::protobuf::Message& state,
                     const google::protobuf::Message* options);
  /// One step (actors/runtime/recorded_step.hpp makes it of what a core was told and answered).
  result<void> add(const internal::RecordedStep& step);
  /// The last frame. Nothing is written that the limit would not let through.
  result<void> end(internal::RecordingEnd::Reason reason, std::int64_t wall_ns);

  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t steps() const { return steps_; }

 private:
  using sink = std::function<result<void>(std::string_view)>;
  recording_writer(sink out, recording_limits limits);
  result<void> put(const internal::RecordingFrame& frame, std::uint64_t kept_back);
  result<void> write(std::string_view bytes);

  sink out_;
  const recording_limits limits_;
  std::uint64_t bytes_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t steps_ = 0;
  std::optional<error> over_;
};

/// How a recording that was read to its last sound frame goes on from there.
enum class recording_tail {
  open,       ///< nothing follows: its process ended or still writes it
  torn,       ///< a part of a frame follows: cut off while it was written, or being written now
  closed,     ///< it was ended
  size_limit  ///< it was ended because it was long enough
};

/// Reads one recording from its beginning, one frame in memory at a time. Used by one thread.
class recording_reader {
 public:
  /// Reads the header. Errors: not_found or io naming the path; corrupt: it is no recording, or its head or header is
  /// damaged; invalid_argument: a newer release wrote it, naming both versions.
  static result<std::unique_ptr<recording_reader>> open(const std::string& path);
  /// `name` is what errors call it.
  static result<std::unique_ptr<recording_reader>> of(const std::string& bytes,
                                                      const std::string& name = "the recording");

  ~recording_reader();
  recording_reader(const recording_reader&) = delete;
  recording_reader& operator=(const recording_reader&) = delete;

  const internal::RecordingHeader& header() const { return header_; }

  /// The next step; nothing after the last, when tail() says how it ends. Errors: corrupt, naming the frame's number
  /// and its offset; io. Nothing can be read after one.
  result<std::optional<internal::RecordedStep>> next();
  recording_tail tail() const { return tail_; }

  /// Of the frame that was read last.
  std::uint64_t frame() const { return frame_; }
  std::uint64_t offset() const { return frame_at_; }
  const std::string& name() const { return name_; }

 private:
  recording_reader(std::string name, std::unique_ptr<std::istream> from);
  static result<std::unique_ptr<recording_reader>> begun(std::unique_ptr<recording_reader> reader);
  result<void> read_head();
  result<void> read_header();
  result<std::optional<internal::RecordingFrame>> read_frame();
  result<std::string> take(std::size_t wanted);
  result<bool> only_zeros(std::string_view taken);
  error damaged(const std::string& what) const;

  const std::string name_;
  std::unique_ptr<std::istream> from_;
  std::uint64_t size_ = 0;  ///< when it was opened: what is added meanwhile is not read
  std::uint64_t at_ = 0;
  std::uint64_t frame_ = 0;
  std::uint64_t frame_at_ = 0;
  internal::RecordingHeader header_;
  recording_tail tail_ = recording_tail::open;
  std::optional<error> over_;
};

}  // namespace troupe
