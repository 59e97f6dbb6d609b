#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace troupe {

/// What many holders may hold together, shared out by one rule: each may hold as much as nobody holds. So one alone may
/// have half, nine a tenth each, and together they never have more than all of it, save for the little that is never
/// refused to anybody. Thread-safe.
class byte_budget {
 public:
  explicit byte_budget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  std::uint64_t held() const { return held_.load(std::memory_order_relaxed); }
  std::uint64_t left() const {
    const auto held = this->held();
    return held < bytes_max_ ? bytes_max_ - held : 0;
  }

 private:
  friend class budget_share;
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> held_{0};
};

/// What one holder has of a budget; its end gives it back. Not thread-safe.
class budget_share {
 public:
  /// `always`: so many bytes are never too many.
  budget_share(std::shared_ptr<byte_budget> budget, std::uint64_t always)
      : budget_(std::move(budget)), always_(always) {}
  ~budget_share() { (void)hold(0); }
  budget_share(const budget_share&) = delete;
  budget_share& operator=(const budget_share&) = delete;

  /// Holds `bytes` from now on, instead of what it held. False: that is more than its share, and it should let go.
  bool hold(std::uint64_t bytes) {
    if (bytes != bytes_) budget_->held_.fetch_add(bytes - bytes_, std::memory_order_relaxed);
    bytes_ = bytes;
    return bytes <= always_ || bytes <= budget_->left();
  }

 private:
  std::shared_ptr<byte_budget> budget_;
  std::uint64_t always_;
  std::uint64_t bytes_ = 0;
};

}  // namespace troupe
