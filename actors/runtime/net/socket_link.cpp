#include "actors/runtime/net/socket_link.hpp"

#include <utility>

namespace troupe {

namespace {

// Tag and length of a field, and a Credit beside the envelopes.
constexpr std::size_t frame_overhead_bytes = 64;
constexpr std::uint64_t unsent_bytes_always = 1u << 20;
constexpr std::uint64_t unhandled_bytes_always = 16u << 10;

void count(std::atomic<std::uint64_t>& counter, std::uint64_t more = 1) {
  counter.fetch_add(more, std::memory_order_relaxed);
}

}  // namespace

/// The right to hold one letter; its end gives the bytes back.
struct socket_link::token {
  token(std::weak_ptr<socket_link> link, std::uint64_t bytes) : link(std::move(link)), bytes(bytes) {}
  ~token() {
    if (auto owner = link.lock()) owner->finished_with(bytes);
  }
  token(const token&) = delete;
  token& operator=(const token&) = delete;

  std::weak_ptr<socket_link> link;
  std::uint64_t bytes;
};

socket_link::socket_link(const link_greeting& greeting, const link_options& options, bool accepted)
    : peer_(greeting.peer),
      options_(options),
      accepted_(accepted),
      outgoing_(greeting.credit_bytes),
      incoming_(options.credit_bytes),
      unsent_(options_.unsent, unsent_bytes_always),
      unhandled_(options_.unhandled, unhandled_bytes_always) {}

bool socket_link::send(Envelope envelope) {
  std::lock_guard<std::mutex> lock(mutex_);
  return put(envelope);
}

bool socket_link::send(const Envelope& head, const google::protobuf::Message& body) {
  std::lock_guard<std::mutex> lock(mutex_);
  announced_.fetch_sub(1, std::memory_order_relaxed);
  const bool taken = put(head, body);
  if (waits_) wake_if_no_longer_waits();
  return taken;
}

/// `envelope`: one that is whole, or a head and a body.
template <class... Parts>
bool socket_link::put(const Parts&... envelope) {
  if (detached_ || close_reason_) {
    count(options_.counters->dropped_unsent);
    return false;
  }
  const auto bytes = cost(envelope...);
  const auto size = bytes + frame_overhead_bytes;
  if (size > options_.frame_bytes) {
    count(options_.counters->dropped_oversize);
    return false;
  }
  if (queue_.empty() || queue_.back().encoded.size() + size > frame_bytes_target) {
    if (!queue_.empty()) queue_.back().encoded.shrink_to_fit();  // it waits, and may have grown to twice its size
    queue_.emplace_back();
  }
  auto& last = queue_.back();
  const auto before = last.encoded.size();
  append_envelope(last.encoded, envelope...);
  const auto encoded = last.encoded.size() - before;
  ++last.envelopes;
  last.cost += bytes;
  entries_.push_back({encoded, bytes});
  waiting_ += encoded;
  // One alone may be as large as a frame.
  if (!unsent_.hold(waiting_) || (entries_.size() > 1 && waiting_ > options_.send_queue_bytes)) {
    give_up("slow reader");
    return false;
  }
  wake_if_idle();
  return true;
}

void socket_link::close(const std::string& reason) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (close_reason_) return;
  close_reason_ = reason;
  wake_to_close();
}

void socket_link::abandon(const std::string& reason) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!close_reason_) give_up(reason);
}

void socket_link::give_up(const std::string& reason) {
  count(options_.counters->closed_slow_reader);
  close_reason_ = reason;
  abandoned_ = true;
  drop_queue();
  wake_to_close();
}

bool socket_link::must_wait() {
  std::lock_guard<std::mutex> lock(mutex_);
  const bool little = unhandled_.hold(incoming_.held());
  waits_ = (!little || behind()) && !close_reason_;
  return waits_;
}

void socket_link::wake_if_no_longer_waits() {
  const bool little = unhandled_.hold(incoming_.held());
  if (!waits_ || !little || behind() || !wake_) return;
  waits_ = false;
  wake_();
}

void socket_link::attach(std::function<void()> wake) {
  std::lock_guard<std::mutex> lock(mutex_);
  wake_ = std::move(wake);
}

void socket_link::detach() {
  std::lock_guard<std::mutex> lock(mutex_);
  wake_ = nullptr;
  detached_ = true;
  drop_queue();
}

void socket_link::drop_queue() {
  count(options_.counters->dropped_unsent, entries_.size());
  entries_ = {};
  queue_ = {};
  waiting_ = 0;
  (void)unsent_.hold(0);
}

bool socket_link::writable() const {
  return (!entries_.empty() && outgoing_.allows(entries_.front().cost)) || (!close_reason_ && incoming_.due());
}

void socket_link::wake_if_idle() {
  if (writing_ || !wake_ || !writable()) return;
  writing_ = true;
  wake_();
}

void socket_link::wake_to_close() {
  if (wake_) wake_();
}

std::optional<std::string> socket_link::next_frame() {
  std::lock_guard<std::mutex> lock(mutex_);
  writing_ = writable();
  if (!writing_) return std::nullopt;
  auto frame = take_batch();
  if (waits_) wake_if_no_longer_waits();
  if (auto credit = incoming_.take()) append_credit(frame, credit);
  count(options_.counters->frames_sent);
  return frame;
}

std::optional<std::string> socket_link::next_close() {
  std::lock_guard<std::mutex> lock(mutex_);
  return writable() ? std::nullopt : close_reason_;
}

bool socket_link::closing() {
  std::lock_guard<std::mutex> lock(mutex_);
  return close_reason_.has_value();
}

std::optional<std::string> socket_link::abandoned() {
  std::lock_guard<std::mutex> lock(mutex_);
  return abandoned_ ? close_reason_ : std::nullopt;
}

std::string socket_link::take_batch() {
  if (queue_.empty()) return {};
  const auto& first = queue_.front();
  if (first.envelopes == 1 ? !outgoing_.allows(first.cost) : !outgoing_.fits(first.cost)) return take_affordable();
  auto taken = std::move(queue_.front());
  queue_.pop_front();
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(taken.envelopes));
  outgoing_.spend(taken.cost);
  count(options_.counters->bytes_sent, taken.cost);
  count(options_.counters->envelopes_sent, taken.envelopes);
  waiting_ -= taken.encoded.size();
  (void)unsent_.hold(waiting_);
  return std::move(taken.encoded);
}

/// As much of the first batch as the far end's credit allows.
std::string socket_link::take_affordable() {
  auto& first = queue_.front();
  std::size_t encoded = 0;
  std::uint64_t envelopes = 0;
  while (envelopes < first.envelopes && outgoing_.allows(entries_.front().cost)) {
    const auto next = entries_.front();
    entries_.pop_front();
    outgoing_.spend(next.cost);
    count(options_.counters->bytes_sent, next.cost);
    first.cost -= next.cost;
    encoded += next.encoded;
    ++envelopes;
  }
  count(options_.counters->envelopes_sent, envelopes);
  auto frame = first.encoded.substr(0, encoded);
  first.encoded.erase(0, encoded);
  first.envelopes -= envelopes;
  if (first.envelopes == 0) queue_.pop_front();
  waiting_ -= encoded;
  (void)unsent_.hold(waiting_);
  return frame;
}

void socket_link::finished_with(std::uint64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (incoming_.released(bytes)) wake_if_idle();
  wake_if_no_longer_waits();
}

std::optional<std::string> socket_link::receive(std::string_view bytes, const link_events& events) {
  auto frame = parse_frame(bytes);
  if (!frame) return frame.error().message;
  if (frame->has_hello() || frame->has_welcome() || frame->has_refused())
    return "a greeting in the middle of the conversation";
  auto& counters = *options_.counters;
  count(counters.frames_received);
  if (frame->has_heartbeat()) count(counters.heartbeats_received);
  if (frame->has_credit()) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!outgoing_.give(frame->credit().bytes())) return "more credit returned than was used";
    wake_if_idle();
  }
  for (auto& envelope : *frame->mutable_envelopes()) {
    const auto size = cost(envelope);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!incoming_.arrived(size)) return "an envelope without credit for it";
    }
    count(counters.envelopes_received);
    count(counters.bytes_received, size);
    events.envelope(shared_from_this(), std::move(envelope), std::make_shared<token>(weak_from_this(), size));
  }
  return std::nullopt;
}

}  // namespace troupe
