#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace troupe {

/// How long to wait before trying again: a delay that doubles up to a limit, of which the second half is left to
/// chance, so that many who lost the same peer do not return as one. The caller brings the chance.
class backoff {
 public:
  using ms = std::chrono::milliseconds;

  backoff(ms first, ms limit) : first_(std::max(first, ms(1))), limit_(std::max(limit, first_)), next_(first_) {}

  ms next(std::uint64_t random) {
    const auto whole = static_cast<std::uint64_t>(next_.count());
    next_ = std::min(limit_, next_ * 2);
    return ms(whole - random % (whole / 2 + 1));
  }
  void reset() { next_ = first_; }

 private:
  ms first_, limit_, next_;
};

}  // namespace troupe
