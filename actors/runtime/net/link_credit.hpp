#pragma once

#include <cstdint>

/// Flow control in bytes of serialised envelopes. Both ends keep the same rule, so that neither waits for the other for
/// ever:
///
/// - An envelope may go when, with it, at most `window` bytes are unreturned.
/// - An envelope larger than half the window may also go when at most half the window is unreturned.
/// - The receiver returns what it has finished with at the latest when that is a quarter of the window.
///
/// So whatever is unreturned although nobody holds it any more is under a quarter, and then every envelope may go; and
/// a receiver holds at most half a window and one frame, or one window, whichever is more. Neither class is
/// thread-safe.
namespace troupe {

/// What the far end lets us send.
class outgoing_credit {
 public:
  explicit outgoing_credit(std::uint64_t window) : window_(window) {}

  bool allows(std::uint64_t bytes) const { return fits(bytes) || (bytes > window_ / 2 && unreturned_ <= window_ / 2); }
  /// Whether envelopes that come to so many bytes may all go, in whatever order and of whatever size each.
  bool fits(std::uint64_t bytes) const { return bytes <= window_ && unreturned_ <= window_ - bytes; }
  void spend(std::uint64_t bytes) { unreturned_ += bytes; }
  /// False: the far end returned more than it was sent.
  [[nodiscard]] bool give(std::uint64_t bytes) {
    if (bytes > unreturned_) return false;
    unreturned_ -= bytes;
    return true;
  }
  std::uint64_t unreturned() const { return unreturned_; }

 private:
  std::uint64_t window_;
  std::uint64_t unreturned_ = 0;
};

/// What we have let the far end send.
class incoming_credit {
 public:
  explicit incoming_credit(std::uint64_t window) : window_(window), account_(window) {}

  /// False: the far end sent what it had no credit for.
  [[nodiscard]] bool arrived(std::uint64_t bytes) {
    if (!account_.allows(bytes)) return false;
    account_.spend(bytes);
    return true;
  }
  /// Some letters are finished with. True: it is time to return credit.
  bool released(std::uint64_t bytes) {
    finished_ += bytes;
    return due();
  }
  /// What has arrived and is not finished with.
  std::uint64_t held() const { return account_.unreturned() - finished_; }
  bool due() const { return finished_ > 0 && finished_ >= window_ / 4; }
  /// Everything that can be returned now; it counts as returned from here on.
  std::uint64_t take() {
    std::uint64_t bytes = finished_;
    finished_ = 0;
    // Never more than arrived: only what arrived is released.
    (void)account_.give(bytes);
    return bytes;
  }

 private:
  std::uint64_t window_;
  outgoing_credit account_;
  std::uint64_t finished_ = 0;
};

}  // namespace troupe
