#include "storage/recording.hpp"

#include "protocol/deterministic_bytes.hpp"
#include "storage/checksum.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <utility>

namespace troupe {

namespace {

using internal::RecordedStep;
using internal::RecordingEnd;
using internal::RecordingFrame;

constexpr std::string_view magic = "TROUPE-R";
constexpr std::size_t head_bytes = magic.size() + sizeof(std::uint32_t) + checksum_bytes;
constexpr std::size_t frame_head_bytes = sizeof(std::uint32_t) + 2 * checksum_bytes;
/// What the last frame takes at most.
constexpr std::uint64_t end_bytes_max = 64;
constexpr std::uint64_t payload_bytes_max = std::numeric_limits<std::int32_t>::max();

template <class Number>
std::string little_endian(Number value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof value; ++i, value >>= 8) bytes.push_back(static_cast<char>(value & 0xff));
  return bytes;
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = sizeof value; i-- > 0;) value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::string file_head() {
  auto head = std::string(magic) + little_endian(recording_version);
  return head + checksum({head});
}

/// What stands before a payload.
std::string frame_head(std::uint64_t number, std::string_view payload) {
  auto head = little_endian(static_cast<std::uint32_t>(payload.size())) + checksum({payload});
  return head + checksum({little_endian(number), head});
}

/// A file that is being appended to.
class appended_file {
 public:
  appended_file(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~appended_file() { ::close(descriptor_); }
  appended_file(const appended_file&) = delete;
  appended_file& operator=(const appended_file&) = delete;

  result<void> write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        const bool full = errno == ENOSPC || errno == EDQUOT;
        return error{full ? errc::exhausted : errc::io, path_ + " cannot be written: " + std::strerror(errno)};
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

 private:
  const std::string path_;
  const int descriptor_;
};

std::uint64_t size_of(std::istream& from) {
  from.seekg(0, std::ios::end);
  const auto end = from.tellg();
  from.seekg(0);
  return from ? static_cast<std::uint64_t>(end) : 0;
}

bool all_zeros(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace

// --- writing ---------------------------------------------------------------------------------------------------------

recording_writer::recording_writer(sink out, recording_limits limits) : out_(std::move(out)), limits_(limits) {}

recording_writer::~recording_writer() = default;

result<std::unique_ptr<recording_writer>> recording_writer::create(const std::string& path, recording_limits limits) {
  constexpr mode_t for_this_user = 0600;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, for_this_user);
  if (descriptor < 0)
    return error{errno == EEXIST ? errc::conflict : errc::io, path + " cannot be made: " + std::strerror(errno)};
  auto file = std::make_shared<appended_file>(path, descriptor);
  return std::unique_ptr<recording_writer>(
      new recording_writer([file](std::string_view bytes) { return file->write(bytes); }, limits));
}

std::unique_ptr<recording_writer> recording_writer::into(std::string& bytes, recording_limits limits) {
  return std::unique_ptr<recording_writer>(new recording_writer(
      [&bytes](std::string_view more) -> result<void> {
        bytes += more;
        return {};
      },
      limits));
}

result<void> recording_writer::begin(internal::RecordingHeader header, const google::protobuf::Message& state,
                                     const google::protobuf::Message* options) {
  if (auto written = write(file_head()); !written) return written;
  header.mutable_state()->set_type(state.GetTypeName());
  header.mutable_state()->set_bytes(deterministic_bytes(state));
  if (options != nullptr) {
    header.mutable_options()->set_type(options->GetTypeName());
    header.mutable_options()->set_bytes(deterministic_bytes(*options));
  }
  RecordingFrame frame;
  *frame.mutable_header() = std::move(header);
  return put(frame, end_bytes_max);
}

result<void> recording_writer::add(const RecordedStep& step) {
  RecordingFrame frame;
  *frame.mutable_step() = step;
  auto added = put(frame, end_bytes_max);
  if (added) ++steps_;
  return added;
}

result<void> recording_writer::end(RecordingEnd::Reason reason, std::int64_t wall_ns) {
  RecordingFrame frame;
  frame.mutable_end()->set_reason(reason);
  frame.mutable_end()->set_wall_ns(wall_ns);
  auto ended = put(frame, 0);
  if (!over_) over_ = error{errc::conflict, "the recording was ended"};
  return ended;
}

result<void> recording_writer::put(const RecordingFrame& frame, std::uint64_t kept_back) {
  if (over_) return *over_;
  std::string bytes(frame_head_bytes, '\0');
  append_deterministic_bytes(frame, bytes);
  if (bytes_ + bytes.size() + kept_back > limits_.file_bytes_max ||
      bytes.size() - frame_head_bytes > payload_bytes_max) {
    if (kept_back != 0) (void)end(RecordingEnd::SIZE_LIMIT, frame.step().context().wall_now_ns());
    over_ = error{errc::exhausted, "the recording has reached its limit of " + std::to_string(limits_.file_bytes_max) +
                                       " bytes; it was ended"};
    return *over_;
  }
  bytes.replace(0, frame_head_bytes, frame_head(frames_ + 1, std::string_view(bytes).substr(frame_head_bytes)));
  if (auto written = write(bytes); !written) return written;
  ++frames_;
  return {};
}

result<void> recording_writer::write(std::string_view bytes) {
  if (over_) return *over_;
  if (auto written = out_(bytes); !written) {
    over_ = written.error();
    return *over_;
  }
  bytes_ += bytes.size();
  return {};
}

// --- reading ---------------------------------------------------------------------------------------------------------

recording_reader::recording_reader(std::string name, std::unique_ptr<std::istream> from)
    : name_(std::move(name)), from_(std::move(from)), size_(size_of(*from_)) {}

recording_reader::~recording_reader() = default;

result<std::unique_ptr<recording_reader>> recording_reader::open(const std::string& path) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) return invalid(path + " is a folder; name a recording in it");
  errno = 0;
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*file) {
    const auto why = errno != 0 ? std::strerror(errno) : "unknown";
    return error{errno == ENOENT ? errc::not_found : errc::io, path + " cannot be read: " + why};
  }
  return begun(std::unique_ptr<recording_reader>(new recording_reader(path, std::move(file))));
}

result<std::unique_ptr<recording_reader>> recording_reader::of(const std::string& bytes, const std::string& name) {
  return begun(
      std::unique_ptr<recording_reader>(new recording_reader(name, std::make_unique<std::istringstream>(bytes))));
}

result<std::unique_ptr<recording_reader>> recording_reader::begun(std::unique_ptr<recording_reader> reader) {
  if (auto read = reader->read_head(); !read) return read.error();
  if (auto read = reader->read_header(); !read) return read.error();
  return reader;
}

result<void> recording_reader::read_head() {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(size_, head_bytes));
  auto head = take(size);
  if (!head) return head.error();
  if (head->substr(0, magic.size()) != magic.substr(0, head->size()) || head->empty())
    return error{errc::corrupt, name_ + " is no recording: it does not begin with " + std::string(magic)};
  if (head->size() < head_bytes)
    return error{errc::corrupt, name_ + " was cut off before its first frame: it has " + std::to_string(size_) +
                                    " bytes, fewer than the head of a recording"};
  constexpr auto checked = head_bytes - checksum_bytes;
  if (checksum({std::string_view(*head).substr(0, checked)}) != head->substr(checked))
    return error{errc::corrupt, name_ + " is damaged: the checksum of its head, at offset 0, does not match"};
  const auto version = number_at(*head, magic.size());
  if (version == recording_version) return {};
  return invalid(name_ + " is a recording of version " + std::to_string(version) + "; this release reads version " +
                 std::to_string(recording_version) + ". Use the release that wrote it, or a newer one.");
}

result<void> recording_reader::read_header() {
  auto frame = read_frame();
  if (!frame) return frame.error();
  if (!*frame) return error{errc::corrupt, name_ + " was cut off within its first frame, which says whose it is"};
  if (!(*frame)->has_header()) return damaged("it is no header, and the first frame must be one");
  header_ = std::move(*(*frame)->mutable_header());
  return {};
}

result<std::optional<RecordedStep>> recording_reader::next() {
  if (over_) return *over_;
  auto frame = read_frame();
  if (!frame) {
    over_ = frame.error();
    return *over_;
  }
  if (!*frame) return std::optional<RecordedStep>();
  const bool ended = tail_ != recording_tail::open;
  if (!ended && (*frame)->has_step()) return std::optional<RecordedStep>(std::move(*(*frame)->mutable_step()));
  if (!ended && (*frame)->has_end()) {
    tail_ = (*frame)->end().reason() == RecordingEnd::SIZE_LIMIT ? recording_tail::size_limit : recording_tail::closed;
    return next();
  }
  over_ = damaged(ended                    ? "it stands behind the last one"
                  : (*frame)->has_header() ? "it is a second header"
                                           : "it is of no kind that this release knows");
  return *over_;
}

result<std::optional<RecordingFrame>> recording_reader::read_frame() {
  const auto left = size_ - at_;
  if (left == 0) return std::optional<RecordingFrame>();
  ++frame_;
  frame_at_ = at_;
  const auto cut_off = [this] {
    tail_ = recording_tail::torn;
    at_ = size_;
    return std::optional<RecordingFrame>();
  };
  if (left < frame_head_bytes) return cut_off();
  auto head = take(frame_head_bytes);
  if (!head) return head.error();
  constexpr auto checked = frame_head_bytes - checksum_bytes;
  if (checksum({little_endian(frame_), std::string_view(*head).substr(0, checked)}) != head->substr(checked)) {
    auto zeros = only_zeros(*head);
    if (!zeros) return zeros.error();
    if (*zeros) return cut_off();
    return damaged("the checksum of its head does not match");
  }
  const std::uint64_t length = number_at(*head, 0);
  if (length > left - frame_head_bytes) return cut_off();
  if (length > payload_bytes_max) return damaged("it claims " + std::to_string(length) + " bytes");
  auto payload = take(static_cast<std::size_t>(length));
  if (!payload) return payload.error();
  if (checksum({*payload}) != head->substr(sizeof(std::uint32_t), checksum_bytes))
    return damaged("the checksum of its " + std::to_string(length) + " bytes does not match");
  std::optional<RecordingFrame> frame(std::in_place);
  if (!frame->ParsePartialFromArray(payload->data(), static_cast<int>(payload->size())))
    return damaged("its bytes are no " + frame->GetTypeName());
  return frame;
}

result<std::string> recording_reader::take(std::size_t wanted) {
  std::string bytes(wanted, '\0');
  from_->read(bytes.data(), static_cast<std::streamsize>(wanted));
  if (static_cast<std::size_t>(from_->gcount()) != wanted)
    return error{errc::io, name_ + " cannot be read at offset " + std::to_string(at_)};
  at_ += wanted;
  return bytes;
}

/// Of what was taken and all that follows.
result<bool> recording_reader::only_zeros(std::string_view taken) {
  constexpr std::uint64_t at_once = 1 << 20;
  bool zeros = all_zeros(taken);
  while (zeros && at_ < size_) {
    auto more = take(static_cast<std::size_t>(std::min(at_once, size_ - at_)));
    if (!more) return more.error();
    zeros = all_zeros(*more);
  }
  return zeros;
}

error recording_reader::damaged(const std::string& what) const {
  return {errc::corrupt, name_ + " is damaged: frame " + std::to_string(frame_) + " at offset " +
                             std::to_string(frame_at_) + ": " + what};
}

}  // namespace troupe
